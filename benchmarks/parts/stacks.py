"""Draws the parts of times as stacked bars."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.parts.measuring import TOTALS
from benchmarks.report import import_pyplot
from benchmarks.results import CaseResult, Report

WIDTH = 11


def plot_parts(report: Report, path: Path) -> None:
    """A row of axes a table, a bar a contender."""
    pyplot = import_pyplot()
    if pyplot is None:
        print("no plot: matplotlib is missing (pip install matplotlib)", file=sys.stderr)
        return
    heights = [1 + 0.35 * len(case.figures) for case in report.cases]
    figure, rows = pyplot.subplots(
        len(report.cases),
        figsize=(WIDTH, sum(heights) + 1),
        height_ratios=heights,
        layout="constrained",
        squeeze=False,
    )
    colours = dict(zip(parts_of(report.cases), pyplot.get_cmap("tab20").colors))
    for axes, case in zip(rows[:, 0], report.cases):
        draw_case(axes, case, colours)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def parts_of(cases: Sequence[CaseResult]) -> list[str]:
    """All parts, each once."""
    named = (part for case in cases for figures in case.figures for part in figures.more)
    return [part for part in dict.fromkeys(named) if part not in TOTALS]


def draw_case(axes: Any, case: CaseResult, colours: Mapping[str, Any]) -> None:
    ends = [0.0] * len(case.figures)
    for part in parts_of([case]):
        values = [figures.more.get(part, 0.0) for figures in case.figures]
        axes.barh(range(len(ends)), values, left=ends, color=colours[part], label=part)
        ends = [end + value for end, value in zip(ends, values)]
    for place, end in enumerate(ends):
        axes.annotate(f" {end:.3g}", (end, place), va="center", fontsize=8)
    axes.set_yticks(range(len(ends)), [figures.name for figures in case.figures], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.set_title(case.title, fontsize=8, loc="left")
    axes.legend(fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1, 0.5))
