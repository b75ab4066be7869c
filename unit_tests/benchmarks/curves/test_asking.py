"""Contenders are timed at each value, and one that fails ends its curve with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from benchmarks.cases import Contender
from benchmarks.curves import asking
from benchmarks.curves.asking import Plan, measure, percentile
from benchmarks.curves.curve import Curve, Point
from benchmarks.curves.fitting import MEMORY, P99
from benchmarks.models import Unpacked
from benchmarks.workers.processes import WorkerError

SLOW, FAST, ABSENT = (
    Contender("slow", "upstream"),
    Contender("fast", "ours"),
    Contender("absent", "ours", missing=lambda: "not installed"),
)


class FakeWorker:
    """Stands in for a process: a row takes it a second, or a tenth; it fails where `FAILS_AT` says so.

    It has 100 MB for each row of the largest batch that it was ever asked for.
    """

    FAILS_AT = 8
    running = 0
    asked: ClassVar[list[tuple[str, int]]] = []

    def __init__(self, paths, tasks):
        self.largest = 0
        self.side = "slow" if paths[0] == "upstream" else "fast"
        FakeWorker.running += 1

    def send(self, name, *arguments):
        self.message = name, arguments

    def receive(self):
        name, arguments = self.message
        if name == "prepare":
            self.specs = arguments[0]
            return None
        rows = len(self.specs[arguments[0]].batches[0])
        self.asked.append((self.side, rows))
        if self.side == "slow" and rows >= self.FAILS_AT:
            raise WorkerError("MemoryError: too many rows")
        self.largest = max(self.largest, rows)
        return [rows * (1.0 if self.side == "slow" else 0.1)] * 3, 100.0 * self.largest

    def stop(self):
        FakeWorker.running -= 1


@pytest.fixture(autouse=True)
def _fakes(monkeypatch):
    monkeypatch.setattr(asking, "Worker", FakeWorker)
    monkeypatch.setattr(asking, "search_path", lambda side, _: [side])
    monkeypatch.setattr(FakeWorker, "asked", [])


def curve(*contenders, **options):
    def draw(xs, inputs, folder, seed):
        processes = options.get("alone", False)
        archive = Unpacked(folder, {})
        return [Point(x, archive, [b""] * int(x), int(x) if processes else 1) for x in xs]

    return Curve("c", "A curve", "rows", (1, 2, 4, 8), draw, contenders, **options)


def measured(tmp_path, *contenders, plan=None, **options):
    return measure(curve(*contenders, **options), plan or Plan(Path(), 1, rounds=2), tmp_path)


def test_each_value_has_the_figures_of_each_contender(tmp_path):
    points = measured(tmp_path, SLOW, FAST)
    assert [case.name for case in points] == ["c/1", "c/2", "c/4", "c/8"]
    slow, fast = points[2].figures
    assert (slow.seconds, fast.seconds) == ([4.0, 4.0], pytest.approx([0.4, 0.4]))
    assert (slow.rate, fast.rate) == (1.0, pytest.approx(10))
    assert fast.more == {"rows": 4, P99: pytest.approx(400), MEMORY: 400.0}
    assert FakeWorker.running == 0


def test_one_that_fails_has_no_figures_from_there_on_and_the_others_go_on(tmp_path):
    points = measured(tmp_path, SLOW, FAST)
    slow, fast = points[3].figures
    assert (slow.missing, slow.seconds) == ("MemoryError: too many rows", [])
    assert len(fast.seconds) == 2
    assert FakeWorker.asked.count(("slow", 8)) == 1


def test_one_that_takes_too_long_is_asked_for_nothing_larger(tmp_path):
    points = measured(tmp_path, SLOW, plan=Plan(Path(), 1, rounds=2, longest=1.5))
    assert [case.figures[0].missing for case in points] == [
        None,
        None,
        *["not asked, since a call took 2 s before"] * 2,
    ]


def test_one_that_is_absent_starts_no_process(tmp_path):
    points = measured(tmp_path, ABSENT, FAST)
    assert {case.figures[0].missing for case in points} == {"not installed"}
    assert {side for side, _ in FakeWorker.asked} == {"fast"}


def test_several_processes_answer_at_once_and_their_rows_add_up(tmp_path):
    points = measured(tmp_path, FAST, alone=True)
    (figures,) = points[1].figures
    assert figures.rows == 4  # two rows in each of two processes
    assert figures.more[MEMORY] == 400.0


def test_contenders_take_turns_every_other_round_backwards(tmp_path):
    measured(tmp_path, SLOW, FAST)
    at_one_row = [side for side, rows in FakeWorker.asked if rows == 1]
    assert at_one_row == ["slow", "slow", "fast", "fast", "fast", "slow"]  # in the first, a warm-up each


def test_the_p99_is_by_the_nearest_rank():
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert percentile([float(value) for value in range(1000)], 0.99) == 990.0
