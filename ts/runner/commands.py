"""What `torch-model-runner inspect`, `export` and `doctor` do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Union

from rich.console import Console

from ts.runner.answering.model import load_archive
from ts.runner.archives.archive import open_archive
from ts.runner.archives.inspection import inspection
from ts.runner.archives.verification import verify_archive
from ts.runner.batch.listing import STDIN
from ts.runner.doctor import report as diagnosis
from ts.runner.errors import InputError
from ts.runner.fetching.reference import read_reference
from ts.runner.render import export_text, inspection_view, verification_text
from ts.runner.streams import output_to_stderr


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
