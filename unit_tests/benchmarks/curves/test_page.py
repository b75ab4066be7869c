"""What is shown of curves: tables, verdicts and plots."""

from __future__ import annotations

import pytest

from benchmarks.cases import OURS, TORCHSERVE, Contender
from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99
from benchmarks.curves.page import markdown, summary, what_grows
from benchmarks.curves.plots import plot_all, ticks_between
from benchmarks.results import CaseResult, Figures, Report

X = "rows of a batch"
MACHINE = {"processor": "a processor", "cores": 2, "torch": "2.3", "date": "today", "gpu": None}


def curve(**options) -> Curve:
    contenders = Contender(TORCHSERVE, "upstream"), Contender(OURS, "ours")
    return Curve("batch-size", "A curve", X, (1, 2, 4), lambda *_: [], contenders, **options)


def figures(name: str, x: int, seconds: float) -> Figures:
    return Figures(name, x, [seconds] * 3, more={X: x, P99: 2000 * seconds, MEMORY: 500.0})


@pytest.fixture
def report() -> Report:
    points = [
        CaseResult(
            f"batch-size/{x}",
            f"A curve: {x} {X}",
            "images",
            [figures(TORCHSERVE, x, 0.1 * x**2), figures(OURS, x, 0.1 * x)],
            [],
        )
        for x in (1, 2, 4)
    ]
    return Report("curves", MACHINE, points)


def test_a_table_has_a_row_a_value_and_columns_of_each_contender(report):
    shown = markdown(report, [curve()])
    assert (
        f"| {X} | images/s, {TORCHSERVE} | images/s, {OURS} | {P99}, {TORCHSERVE} | {P99}, {OURS}"
        f" | {MEMORY}, {TORCHSERVE} | {MEMORY}, {OURS} |" in shown
    )
    assert "| 4 | 2.5 | 10 | 3,200 | 800 | 500 | 500 |" in shown
    assert "![A curve, by rows of a batch](runs/curves-batch-size.png)" in shown


def test_exponents_are_shown_and_why_they_are_worse_than_linear(report):
    shown = markdown(report, [curve()])
    assert "| exponent of | time of a call | p99 | memory |" in shown
    assert f"| {TORCHSERVE} | **2.00** | **2.00** | 0.00 |" in shown
    assert f"| {OURS} | 1.00 | 1.00 | 0.00 |" in shown
    assert f"{TORCHSERVE}, time of a call and p99 worse than linear: NO REASON KNOWN." in shown
    explained = markdown(report, [curve(reasons={TORCHSERVE: "it squares"})])
    assert f"{TORCHSERVE}, time of a call and p99 worse than linear: it squares." in explained


def test_the_summary_has_a_row_a_curve(report):
    report.cases[2].figures[0] = Figures(TORCHSERVE, 4, missing="it failed", more={X: 4})
    other = Curve("not-measured", "Another", X, (1,), lambda *_: [], ())
    assert summary(report, [curve(), other]).splitlines()[2:] == [
        f"| {X} | 1 to 4 | 100 to 400 | 100 to 400 | 1.00 | 500 to 500 |"
    ]


def test_the_summary_names_the_handler_of_a_curve() -> None:
    of_detector = Curve("a", "object_detector, two photos", X, (1,), lambda *_: [], ())
    assert what_grows(of_detector) == f"object_detector: {X}"
    assert what_grows(curve()) == X


def test_where_a_curve_ends_is_said(report):
    report.cases[2].figures[0] = Figures(TORCHSERVE, 4, missing="it failed", more={X: 4})
    shown = markdown(report, [curve()])
    assert f"{TORCHSERVE} ends before 4: it failed." in shown
    assert "| 4 |  | 10 |  | 800 |  | 500 |" in shown


def test_a_plot_is_drawn_of_each_curve_that_was_measured(report, tmp_path):
    pytest.importorskip("matplotlib")
    other = Curve("other", "Another", X, (1,), lambda *_: [], ())
    report.cases[2].figures[0] = Figures(TORCHSERVE, 4, missing="it failed", more={X: 4})
    plot_all(report, [curve(), other], tmp_path / "plots")
    (plot,) = (tmp_path / "plots").iterdir()
    assert plot.name == "curves-batch-size.png"
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(9, 31, [10, 15, 20, 30]), (0.9, 110, [1, 2, 5, 10, 20, 50, 100]), (1, 900, [1, 10, 100])],
)
def test_ticks_are_round_numbers_and_few(low, high, ticks):
    assert ticks_between(low, high) == pytest.approx(ticks)
