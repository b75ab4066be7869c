"""What `torch-model-runner compare` does."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from typing import Optional

from rich.console import Console

from ts import HANDLERS_VERSION
from ts.runner.answering.device import gpu_id
from ts.runner.answering.model import batch_size_of, check_integrity, start_archive
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.batch.known import Known, known_of_archive
from ts.runner.batch.listing import STDIN
from ts.runner.batch.question import Question
from ts.runner.comparing.live import Live
from ts.runner.comparing.report import Report
from ts.runner.comparing.said import Here, Side
from ts.runner.comparing.stock import Stock
from ts.runner.comparing.verdict import Comparison, Verdict
from ts.runner.errors import ArchiveError, InputError
from ts.runner.predict.job import Inputs, files_or_error
from ts.runner.streams import output_to_stderr

OURS = f"torchserve-handlers {HANDLERS_VERSION}"
STOCK = "torchserve's own handlers"
SIDES = ("old", "new")


def compare(arguments: argparse.Namespace) -> int:
    """Asks two sides the same; 0 if their answers are, within the tolerance, else 1."""
    check(arguments)
    inputs = Inputs(arguments)
    inputs.check()
    with output_to_stderr() as stdout, ExitStack() as stack:
        archive = opened(arguments, stack)
        old, old_fault = tried("old", arguments, archive, stack)
        new, new_fault = tried("new", arguments, archive, stack)
        report = Report(
            old.name if old else STOCK,
            new.name if new else OURS,
            arguments.tolerance,
            told(old_fault, new_fault),
        )
        if old is not None and new is not None:
            report.verdicts.extend(verdicts(arguments, inputs, archive, old, new))
        if arguments.json:
            stdout.write(json.dumps(report.document(), indent=2) + "\n")
        else:
            Console(file=stdout).print(report.view())
    return 0 if report.is_well(arguments.allow_known) else 1


def check(arguments: argparse.Namespace) -> None:
    """Refuses what does not go together.

    Raises:
        InputError: With one sentence.
    """
    if [*arguments.inputs, arguments.inputs_from].count(STDIN) > 1:
        raise InputError("standard input (-) can be read only once")
    for side in SIDES:
        if getattr(arguments, f"{side}_headers") and getattr(arguments, side) is None:
            raise InputError(f"--{side}-header is for --{side} URL")


def opened(arguments: argparse.Namespace, stack: ExitStack) -> Optional[Archive]:
    """The archive; None where each side is a server.

    Raises:
        ArchiveError: It cannot be opened, or is damaged.
    """
    if arguments.archive is None:
        return None
    archive = stack.enter_context(open_archive(arguments.archive, max_size=arguments.max_size))
    check_integrity(archive)
    return archive


def tried(
    which: str, arguments: argparse.Namespace, archive: Optional[Archive], stack: ExitStack
) -> tuple[Optional[Side], str]:
    """The side `which`, or None and why it does not load the archive."""
    try:
        return started(which, arguments, archive, stack), ""
    except ArchiveError as error:
        return None, str(error)


def started(which: str, arguments: argparse.Namespace, archive: Optional[Archive], stack: ExitStack) -> Side:
    """A side: the server that is named, else the archive, by torchserve's handlers or by this library's.

    Raises:
        RunnerError: It cannot be asked; an ArchiveError if it does not load the archive.
    """
    url = getattr(arguments, which)
    if url is not None:
        headers = dict(getattr(arguments, f"{which}_headers"))
        return Live(url, archive.name if archive else None, explain=arguments.explain, headers=headers)
    assert archive is not None  # see the parser
    metrics = arguments.metrics
    if which == "old":
        gpu, batch_size = gpu_id(arguments.device, archive.config), batch_size_of(archive)
        return stack.enter_context(Stock(archive, batch_size=batch_size, gpu=gpu, metrics_file=metrics))
    return Here(
        OURS,
        stack.enter_context(start_archive(archive, device=arguments.device, metrics_file=metrics)),
    )


def told(old_fault: str, new_fault: str) -> Optional[str]:
    """Why nothing could be compared; None if both sides load the archive.

    Raises:
        ArchiveError: Neither does.
    """
    if old_fault and new_fault:
        raise ArchiveError(f"neither {STOCK} load this archive ({old_fault}), nor {OURS} ({new_fault})")
    if old_fault:
        return f"{STOCK} do not load this archive: {old_fault}\n{OURS} does; `torch-model-runner predict` asks it"
    return f"{OURS} does not load this archive: {new_fault}\n{STOCK} do" if new_fault else None


def verdicts(
    arguments: argparse.Namespace, inputs: Inputs, archive: Optional[Archive], old: Side, new: Side
) -> Iterator[Verdict]:
    known = new.known if isinstance(new, Here) else known_of_archive(archive) if archive else Known()
    known.check_options(dict(arguments.options))
    wanted = inputs.wanted(known)
    files = list(files_or_error(inputs, wanted))
    if wanted.left_out:
        sys.stderr.write(f"torch-model-runner: {wanted}\n")
    stdin = sys.stdin.buffer.read() if STDIN in inputs.named else b""
    question = Question(tuple(arguments.options), tuple(arguments.headers), arguments.explain)
    has_settings = isinstance(archive.config.get("handler"), dict) if archive else False
    comparison = Comparison(old, new, question, arguments.tolerance, stdin=stdin, has_settings=has_settings)
    size = arguments.batch_size or (batch_size_of(archive) if archive else 1)
    console = Console(stderr=True)
    with console.status("comparing") if console.is_terminal else nullcontext():
        yield from comparison.verdicts(files, size)
