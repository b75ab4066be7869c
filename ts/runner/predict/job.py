"""A job of `predict`: inputs, the output and folder of their answers, and what is said of it all at the end."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Optional, TextIO

from ts.runner.batch.job import Job, Report
from ts.runner.batch.known import Known
from ts.runner.batch.listing import list_files, listed_files, read_list
from ts.runner.batch.outputs.stores import SAVED_IN, check_output, open_store
from ts.runner.batch.progress import Pace
from ts.runner.batch.row import shown
from ts.runner.batch.saving import Saver, check_folder
from ts.runner.batch.wanted import Wanted, by_name
from ts.runner.errors import InputError, RunnerError

LONGEST_MESSAGE = 200  # letters of a refused file's answer


class Inputs:
    """What is to be answered, as the command line has it.

    Raises:
        InputError: The list of `--inputs-from` cannot be read.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.named: list[str] = arguments.inputs
        self.listed = read_list(arguments.inputs_from) if arguments.inputs_from else []
        self._targets = [Path(name) for name in (arguments.output, arguments.save) if name is not None]

    def __iter__(self) -> Iterator[str]:
        return chain(self.named, self.listed)

    def __str__(self) -> str:
        return shown(", ".join(chain(self.named[:5], self.listed[:5])))

    def check(self) -> None:
        """Refuses what is not there, before any work is done."""
        list_files(self.named)
        listed_files(self.listed)

    def wanted(self, known: Known) -> Wanted:
        """Says which files of folders are asked."""
        return Wanted(*by_name(known.payloads, known.formats), self._targets)

    def files(self, wanted: Wanted) -> Iterator[str]:
        """The files to be answered; those of answers, which may lie in the same folders, are none of them."""
        found = chain(list_files(self.named, wanted), listed_files(self.listed, wanted))
        return (file for file in found if not wanted.is_answer(file))


def check_targets(arguments: argparse.Namespace, inputs: Inputs) -> None:
    """Refuses outputs that are there, or cannot be, before any work is done."""
    may_be_there = arguments.resume or arguments.force
    if arguments.output is not None:
        check_output(Path(arguments.output), may_be_there)
    if arguments.save is not None:
        check_folder(Path(arguments.save), inputs, may_be_there)


@contextmanager
def opened_job(
    arguments: argparse.Namespace, inputs: Inputs, known: Known, facts: dict[str, Any]
) -> Iterator[Job]:
    """The job of a command, for the time of a `with` block; if that ends early, it is said what is kept."""
    output, folder = path_of(arguments.output), path_of(arguments.save)
    facts = {**facts, **({SAVED_IN: str(folder)} if folder else {})}
    wanted = inputs.wanted(known)
    store = open_store(output, facts, resume=arguments.resume, force=arguments.force)
    save = Saver(folder, inputs, store.ledger.saved()) if folder else list
    with Job(store, files_or_error(inputs, wanted), save=save) as job:
        if wanted.left_out:
            sys.stderr.write(f"torch-model-runner: {wanted}\n")
        try:
            yield job
        except (KeyboardInterrupt, RunnerError):
            tell_of_end(job)
            raise


def files_or_error(inputs: Inputs, wanted: Wanted) -> Iterator[str]:
    """The files to be answered.

    Raises:
        InputError: There is none.
    """
    file = None
    for file in inputs.files(wanted):
        yield file
    if file is None:
        why = (
            f": {wanted}; name them by a pattern, e.g. 'folder/*', to have them asked"
            if wanted.left_out
            else ""
        )
        raise InputError(f"there are no files in {inputs}{why}")


def path_of(name: Optional[str]) -> Optional[Path]:
    return None if name is None else Path(name)


def tell_of_end(job: Job) -> None:
    """Says before the reason why a job ends early what is kept of it."""
    report = job.report()
    if report.answered:
        way = (
            "and kept; the same command with --resume goes on with the others"
            if job.goes_on
            else "and saved; with an --output it would be known which, and one could go on"
        )
        sys.stderr.write(
            f"torch-model-runner: {report.answered:,} of {report.files:,} files are answered {way}\n"
        )


def tell(report: Report, pace: Pace, places: str, stdout: TextIO, since: str = "") -> None:
    """How many of each status, how fast, where the answers are, and what was refused."""
    counts = ", ".join(f"{count:,} times {status}" for status, count in report.counts.items())
    rate = f", {pace.rate:.3g} files/s{since}" if pace.rate else ""
    lines = [
        f"{counted(report.files)}: {counts}",
        f"{pace.new:,} answered now, in {pace.seconds:.1f} s{rate}",
    ]
    lines += [f"{row.path}: {row.status} {message(row.text)}" for row in report.refused]
    refused = sum(count for status, count in report.counts.items() if status != 200)
    if refused > len(report.refused):
        lines.append(f"and {refused - len(report.refused):,} more that are no 200")
    stdout.write("\n".join([*lines, *filter(None, [places])]) + "\n")


def counted(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"


def places_of(arguments: argparse.Namespace) -> str:
    """Where answers are."""
    found = [place for place in (arguments.output, arguments.save) if place is not None]
    return f"The answers are in {' and '.join(found)}."


def message(text: Optional[str]) -> str:
    """What an answer that is no 200 says, on one line."""
    try:
        said = json.loads(text or "")["message"]
    except (ValueError, KeyError, TypeError):
        said = text or "(no text)"
    line = " ".join(str(said).split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}..."
