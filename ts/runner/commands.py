"""What `torch-model-runner predict`, `inspect`, `serve`, `export` and `doctor` do."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Union

from rich.console import Console
from rich.progress import track

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model, load_archive
from ts.runner.archives.archive import open_archive
from ts.runner.archives.inspection import inspection
from ts.runner.archives.verification import verify_archive
from ts.runner.doctor import report as diagnosis
from ts.runner.errors import InputError
from ts.runner.fetching.reference import read_reference
from ts.runner.render import answers_table, export_text, inspection_view, verification_text
from ts.runner.streams import output_to_stderr

STDIN = "-"


def predict(arguments: argparse.Namespace) -> int:
    """Answers the inputs and prints the answers; 0 if each is a 200, else 1."""
    inputs = read_inputs(arguments.inputs)
    with output_to_stderr() as stdout:
        with load_archive(
            arguments.archive,
            device=arguments.device,
            metrics_file=arguments.metrics,
            max_size=arguments.max_size,
        ) as model:
            answers = answer_all(model, inputs, arguments)
            if arguments.debug:
                show_debug(model, answers)
        if arguments.json:
            stdout.write(
                json.dumps([document(*pair) for pair in zip(arguments.inputs, answers)], indent=2) + "\n"
            )
        else:
            Console(file=stdout).print(answers_table(arguments.inputs, answers))
    return 0 if all(answer.ok for answer in answers) else 1


def answer_all(
    model: Model, inputs: Sequence[Union[Path, bytes]], arguments: argparse.Namespace
) -> list[Answer]:
    stream = model.stream(
        inputs,
        options=dict(arguments.options),
        explain=arguments.explain,
        headers=dict(arguments.headers),
        batch_size=arguments.batch_size,
    )
    console = Console(stderr=True)
    hidden = len(inputs) == 1 or not console.is_terminal
    return list(
        track(stream, "answering", total=len(inputs), console=console, transient=True, disable=hidden)
    )


def read_inputs(names: Sequence[str]) -> list[Union[Path, bytes]]:
    """Paths of files, or the bytes of standard input.

    Raises:
        InputError: Files that do not exist, all of them by name, before any work is done.
    """
    missing = [name for name in names if name != STDIN and not Path(name).is_file()]
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    if names.count(STDIN) > 1:
        raise InputError("standard input (-) can be read only once")
    return [sys.stdin.buffer.read() if name == STDIN else Path(name) for name in names]


def document(name: str, answer: Answer) -> dict[str, Any]:
    """One answer for --json, with what came before it if anything did."""
    parts = [json_response(part) for part in answer.intermediate]
    before = {"intermediate": parts} if parts else {}
    return {"input": name, "status": answer.status, **before, "response": json_response(answer)}


def json_response(answer: Answer) -> Any:
    """A response in types that JSON has: bytes as a `data:` URI (RFC 2397)."""
    response = answer.response
    if not isinstance(response, bytes):
        return response
    kind = answer.content_type or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(response).decode()}"


def show_debug(model: Model, answers: Sequence[Answer]) -> None:
    for reason in dict.fromkeys(answer.reason for answer in answers if answer.reason):
        traceback.print_exception(type(reason), reason, reason.__traceback__)
    for name in dict.fromkeys(measurement.name for measurement in model.metrics.measurements):
        values = ", ".join(f"{value:g}" for value in model.metrics.values(name))
        sys.stderr.write(f"{name}: {values}\n")


def inspect(arguments: argparse.Namespace) -> int:
    """Prints what an archive holds, and marks what is not the manifest's; with --verify, only checks that.

    With --describe, prints what the archive's handler says of itself instead.
    """
    if arguments.verify:
        return verify(arguments)
    if arguments.describe:
        return describe(arguments)
    with open_archive(arguments.archive, max_size=arguments.max_size) as archive:
        facts = inspection(archive)
    if arguments.json:
        sys.stdout.write(json.dumps(facts, indent=2, default=str) + "\n")
    else:
        Console().print(inspection_view(facts))
    return 0


def verify(arguments: argparse.Namespace) -> int:
    """Says which files of an archive are not as packed; 0 if all are, 1 if not or if it cannot be told."""
    verification = verify_archive(arguments.archive, max_size=arguments.max_size)
    archive = str(read_reference(arguments.archive))
    if arguments.json:
        facts = {
            "archive": archive,
            "verified": verification.verified,
            "compared": verification.compared,
            "problems": verification.problems,
        }
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
    else:
        sys.stdout.write(verification_text(archive, verification))
    return 0 if verification.verified else 1


def describe(arguments: argparse.Namespace) -> int:
    """Starts a handler and prints its description; 0 if it gives one, else 1."""
    with output_to_stderr() as stdout:
        with load_archive(arguments.archive, max_size=arguments.max_size) as model:
            answer = model.describe()
        if arguments.json:
            stdout.write(json.dumps(answer.response, indent=2) + "\n")
        else:
            Console(file=stdout).print_json(data=answer.response)
    return 0 if answer.ok else 1


def export(arguments: argparse.Namespace) -> int:
    """Writes an archive with the model in another format; 0 if its answers are the old one's, else 1."""
    inputs = read_inputs(arguments.inputs)
    from ts.runner.exporting import export_archive  # torch: for this command only

    out = arguments.output or default_output(arguments.archive, arguments.to)
    console = Console(stderr=True)
    with output_to_stderr() as stdout:
        with (
            console.status(f"exporting {read_reference(arguments.archive)}")
            if console.is_terminal
            else nullcontext()
        ):
            report = export_archive(
                arguments.archive,
                out,
                to=arguments.to,
                inputs=inputs,
                device=arguments.device,
                batch_size=arguments.batch_size,
                force=arguments.force,
                max_size=arguments.max_size,
            )
        if arguments.json:
            stdout.write(json.dumps(asdict(report), indent=2, default=str) + "\n")
        else:
            stdout.write(export_text(report))
    return 0 if report.comparison.problem is None else 1


def default_output(archive: str, kind: str) -> str:
    reference = read_reference(archive)
    name = reference.file_name if reference.is_url else Path(reference.place).resolve().name
    for suffix in (".mar", ".tar.gz", ".tgz", ".zip"):
        name = name[: -len(suffix)] if name.endswith(suffix) else name
    return f"{name}-{kind}.mar"


def doctor(arguments: argparse.Namespace) -> int:
    """Prints what is well and what is not; 0 if nothing is wrong, else 1."""
    console = Console(stderr=True)
    with console.status("looking around") if console.is_terminal else nullcontext():
        checks = diagnosis.examine()
    if arguments.json:
        sys.stdout.write(json.dumps(diagnosis.document(checks), indent=2) + "\n")
    else:
        Console().print(diagnosis.table(checks))
    return 0 if diagnosis.is_well(checks) else 1
