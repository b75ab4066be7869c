"""The plot of parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.parts.measuring import SUM
from benchmarks.parts.stacks import draw_case, plot_parts
from benchmarks.results import CaseResult, Figures, Report

FIGURES = [
    Figures("theirs", 1, [0.01], more={"queue": 1.0, "model": 5.0, SUM: 6.0}),
    Figures("ours", 1, [0.02], more={"queue": 2.0, "reading": 1.0, SUM: 3.0}),
]
CASE = CaseResult("photo, a request", "A request", "requests", FIGURES, [])


def test_each_part_begins_where_the_one_before_ends() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    draw_case(axes, CASE, {"queue": "red", "model": "green", "reading": "blue"})
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [(0, 1), (0, 2), (1, 5), (2, 0), (6, 0), (2, 1)]  # queue, model, reading of both
    assert [text.get_text() for text in axes.texts] == [" 6", " 3"]
    pyplot.close(figure)


def test_a_plot_has_a_row_a_table(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot_parts(Report("server-parts", {}, [CASE, CASE]), tmp_path / "parts.png")
    assert (tmp_path / "parts.png").read_bytes().startswith(b"\x89PNG")
