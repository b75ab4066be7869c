"""What the benchmark of a folder prints."""

from __future__ import annotations

import io

from benchmarks.batch.folder import TOLD, text
from ts.runner.batch.job import Report
from ts.runner.batch.progress import Pace
from ts.runner.batch.row import Row
from ts.runner.predict.job import tell


def test_what_the_command_says_is_understood() -> None:
    clock = iter([0.0, *[20.0] * 10])
    pace, said = Pace(1000, clock=lambda: next(clock), ready=True), io.StringIO()
    pace.add([Row("a", 200, None, b"")] * 1000)
    tell(Report({200: 1000}, []), pace, "The answers are in a.jsonl.", said)
    found = TOLD.search(said.getvalue())
    assert found is not None
    assert float(found[1]) == 50.0


def test_ratios_are_those_of_the_rounds() -> None:
    found = [{"by_command": 9.0, "by_handler": 10.0}, {"by_command": 10.0, "by_handler": 20.0}]
    found.append({"by_command": 30.0, "by_handler": 30.0})
    assert text(found) == (
        "predict 10.0 files/s, the handler alone 20.0 files/s; ratio 0.90 (0.50 to 1.00), aim 0.9"
    )
