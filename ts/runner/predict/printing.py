"""Answers printed as they come: in tables for people, or as one JSON list."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model
from ts.runner.batch.here import Answered, Here, row_of
from ts.runner.batch.job import MOST_SHOWN, Report
from ts.runner.batch.known import Known
from ts.runner.batch.outputs.lines import answer_document, data_uri
from ts.runner.batch.progress import Pace, Progress, shown_progress
from ts.runner.batch.row import Row, shown
from ts.runner.predict.failures import Failures
from ts.runner.predict.job import Inputs, files_or_error, tell
from ts.runner.render import answers_table

ROWS = 50  # of a table, which is held in memory


def print_answers(
    arguments: argparse.Namespace, model: Model, here: Here, inputs: Inputs, known: Known, stdout: TextIO
) -> int:
    """Answers the inputs, prints the answers, and returns 0 if each is a 200, else 1."""
    wanted = inputs.wanted(known)
    files = list(files_or_error(inputs, wanted))
    if wanted.left_out:
        sys.stderr.write(f"torch-model-runner: {wanted}\n")
    pace, tally, failures = Pace(len(files), ready=True), Tally(), Failures(at_once=True)
    with shown_progress(Console(stderr=True), pace) as progress:
        printed = JsonList(stdout) if arguments.json else Tables(stdout, progress)
        try:
            for answered in here.answers(files):
                printed.add(answered)
                rows = [row_of(path, answer) for path, answer in answered]
                progress.told(rows)
                tally.add(rows)
                if arguments.debug:
                    failures(answered)
                else:
                    model.metrics.measurements.clear()
        finally:  # after Ctrl-C, too
            printed.end()
    if arguments.debug:
        show_measurements(model)
    if len(files) > ROWS:
        tell(tally.report(), pace, "", sys.stderr)
    return 0 if set(tally.counts) == {200} else 1


class Tally:
    """Counts answers by their status, and keeps the first that are no 200."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self._refused: list[Row] = []

    def add(self, rows: Sequence[Row]) -> None:
        self.counts.update(row.status for row in rows)
        self._refused += [row for row in rows if row.status != 200][: MOST_SHOWN - len(self._refused)]

    def report(self) -> Report:
        return Report(dict(sorted(self.counts.items())), self._refused)


class Tables:
    """Tables of some answers each; in place of the bar, which comes back below.

    Args:
        stdout: Where they are printed.
        progress: The bar.
    """

    def __init__(self, stdout: TextIO, progress: Progress) -> None:
        self._console, self._progress = Console(file=stdout), progress
        self._held: Answered = []

    def add(self, answered: Answered) -> None:
        self._held += answered
        while len(self._held) >= ROWS:
            self._print(self._held[:ROWS])
            self._held = self._held[ROWS:]

    def end(self) -> None:
        if self._held:
            self._print(self._held)

    def _print(self, answered: Answered) -> None:
        with self._progress.away():
            names = [shown(path) for path, _ in answered]
            self._console.print(answers_table(names, [answer for _, answer in answered]))


class JsonList:
    """One JSON list of {input, status, response}."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout
        self._before = "[\n"

    def add(self, answered: Answered) -> None:
        for path, answer in answered:
            text = json.dumps(document(shown(path), answer), indent=2)
            self._stdout.write(self._before + textwrap.indent(text, "  "))
            self._before = ",\n"

    def end(self) -> None:
        self._stdout.write("\n]\n")


def document(name: str, answer: Answer) -> dict[str, Any]:
    """One answer for --json, with what came before it if anything did."""
    found = answer_document(name, answer.status, answer.response, answer.content_type)
    parts = [
        data_uri(part.response, part.content_type) if isinstance(part.response, bytes) else part.response
        for part in answer.intermediate
    ]
    before = {"intermediate": parts} if parts else {}
    return {"input": name, "status": found["status"], **before, "response": found["response"]}


def show_measurements(model: Model) -> None:
    for name in dict.fromkeys(measurement.name for measurement in model.metrics.measurements):
        values = ", ".join(f"{value:g}" for value in model.metrics.values(name))
        sys.stderr.write(f"{name}: {values}\n")
