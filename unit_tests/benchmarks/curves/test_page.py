"""What is shown of curves: tables, verdicts and plots."""

from __future__ import annotations

import pytest

from benchmarks.cases import OURS, TORCHSERVE, Contender
from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99, growth, lines
from benchmarks.curves.page import markdown, verdicts
from benchmarks.curves.plots import plot_all
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
    found = [finding for name, each in lines(points).items() for finding in growth(name, X, each)]
    return Report("curves", MACHINE, [*points, CaseResult("batch-size", "A curve", "images", [], found)])


def test_a_table_has_a_row_a_value_and_columns_of_each_contender(report):
    shown = markdown(report, [curve()])
    assert (
        f"| {X} | images/s, {TORCHSERVE} | images/s, {OURS} | {P99}, {TORCHSERVE} | {P99}, {OURS}"
        f" | {MEMORY}, {TORCHSERVE} | {MEMORY}, {OURS} |" in shown
    )
    assert "| 4 | 2.5 | 10 | 3,200 | 800 | 500 | 500 |" in shown
    assert "![A curve, by rows of a batch](runs/curves-batch-size.png)" in shown


def test_a_verdict_says_what_is_worse_than_linear_and_why(report):
    square, _, linear, memory = verdicts(report, curve())
    assert square == f"exponent of {TORCHSERVE}, seconds a call: 2.00, WORSE THAN LINEAR (beyond 1.15)"
    assert linear == f"exponent of {OURS}, seconds a call: 1.00, linear or better"
    assert "memory: " in memory
    assert memory.endswith("0.00, linear or better")
    explained, *_ = verdicts(report, curve(reasons={TORCHSERVE: "it squares"}))
    assert explained.endswith("2.00, worse than linear: it squares")


def test_where_a_curve_ends_is_said(report):
    report.cases[2].figures[0] = Figures(TORCHSERVE, 4, missing="it failed", more={X: 4})
    *_, last = verdicts(report, curve())
    assert last == f"{TORCHSERVE} ends before 4: it failed"
    assert "| 4 |  | 10 |  | 800 |  | 500 |" in markdown(report, [curve()])


def test_a_plot_is_drawn_of_each_curve_that_was_measured(report, tmp_path):
    pytest.importorskip("matplotlib")
    other = Curve("other", "Another", X, (1,), lambda *_: [], ())
    report.cases[2].figures[0] = Figures(TORCHSERVE, 4, missing="it failed", more={X: 4})
    plot_all(report, [curve(), other], tmp_path / "plots")
    (plot,) = (tmp_path / "plots").iterdir()
    assert plot.name == "curves-batch-size.png"
    assert plot.read_bytes().startswith(b"\x89PNG")
