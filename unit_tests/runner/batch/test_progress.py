"""How far a job is, as a person reads it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ts.runner.batch.progress import Pace, duration, shown_progress
from ts.runner.batch.row import Row

FINE, REFUSED = Row("a", 200, None, b""), Row("b", 400, None, b"")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_since_the_first_answers_came() -> None:
    clock = Clock()
    pace = Pace(1000, before=200, clock=clock)
    assert (str(pace), pace.rate) == ("", None)
    clock.now = 50.0  # for the workers to start
    pace.add([FINE] * 10)
    assert (str(pace), pace.rate) == ("", None)
    clock.now = 52.0
    pace.add([FINE] * 89 + [REFUSED])
    assert (pace.done, pace.new, pace.seconds, pace.rate) == (300, 100, 52.0, 45.0)
    assert str(pace) == "45 files/s, 16 s left, 1 refused"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5900, "98 min"),
        (6000, "1 h 40 min"),
        (90000, "25 h 0 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_elsewhere_than_on_a_terminal_there_is_a_line_now_and_then() -> None:
    clock = Clock()
    console = Console(file=io.StringIO(), width=40)
    with shown_progress(console, Pace(10_000, clock=clock)) as progress:
        for clock.now in (1.0, 20.0, 31.0, 40.0, 62.0):
            progress.told([FINE] * 600)
    assert console.file.getvalue() == (  # type: ignore[attr-defined]
        "1,800 of 10,000 files, 40 files/s, 3 min left\n3,000 of 10,000 files, 39.3 files/s, 3 min left\n"
    )


def test_on_a_terminal_there_is_a_bar_that_goes_away() -> None:
    clock = Clock()
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    with shown_progress(console, Pace(100, before=40, clock=clock), "starting Ray") as progress:
        progress.told([FINE] * 10)
        clock.now = 10.0
        progress.told([REFUSED] * 10)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "starting Ray" in shown or "60/100" in shown
