"""Draws a curve: rate, p99 and memory by what grows, both axes logarithmic, a line a contender."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99, lines
from benchmarks.report import import_pyplot
from benchmarks.results import CaseResult, Figures, Report

COLOURS = ("tab:grey", "tab:blue", "tab:green", "tab:orange")
PREFIX = "curves-"  # of the names of files


def plot_all(report: Report, curves: Sequence[Curve], folder: Path) -> None:
    """Writes FOLDER/curves-NAME.png for each curve that has points in the report."""
    pyplot = import_pyplot()
    if pyplot is None:
        print("no plots: matplotlib is missing (pip install matplotlib)", file=sys.stderr)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for curve in curves:
        if points := points_of(report, curve):
            plot(pyplot, report, curve, points, folder / f"{PREFIX}{curve.name}.png")


def points_of(report: Report, curve: Curve) -> list[CaseResult]:
    return [case for case in report.cases if case.name.startswith(f"{curve.name}/")]


def plot(pyplot: Any, report: Report, curve: Curve, points: Sequence[CaseResult], path: Path) -> None:
    panels = {f"{curve.unit} a second": rate, P99: p99, MEMORY: memory}
    figure, axes = pyplot.subplots(1, len(panels), figsize=(15, 5), layout="constrained")
    for panel, (label, value) in zip(axes, panels.items()):
        for colour, (name, figures) in zip(COLOURS, lines(points).items()):
            draw_line(panel, curve, name, figures, value, colour)
        finish(panel, curve, [case.figures[0].more[curve.x] for case in points], label)
    axes[0].legend(fontsize=9)
    machine = report.machine
    where = f"{machine['cores']} cores of {machine['processor']}, torch {machine['torch']}, {machine['date']}"
    figure.suptitle(f"{curve.name}: {curve.title}\n{where}", fontsize=10)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def rate(figures: Figures) -> float:
    return figures.rate


def p99(figures: Figures) -> float:
    return figures.more[P99]


def memory(figures: Figures) -> float:
    return figures.more.get(MEMORY, float("nan"))


def draw_line(
    panel: Any, curve: Curve, name: str, figures: Sequence[Figures], value: Any, colour: str
) -> None:
    """A line; a cross on its last point where it ends before the others, since the next failed."""
    there = [each for each in figures if not each.missing]
    xs, values = [each.more[curve.x] for each in there], [value(each) for each in there]
    if not there:
        return
    panel.plot(xs, values, marker="o", markersize=4, color=colour, label=name)
    if len(there) < len(figures):
        panel.plot(xs[-1:], values[-1:], marker="X", markersize=11, color=colour)


def finish(panel: Any, curve: Curve, xs: Sequence[float], label: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(xs, [f"{x:g}" for x in xs], fontsize=8, rotation=45)
    panel.minorticks_off()
    low, high = panel.get_ylim()
    ticks = [
        digit * 10.0**power
        for power in range(-4, 8)
        for digit in (1, 1.5, 2, 3, 5, 7)[:: 1 if high / low < 10 else 2 if high / low < 500 else 6]
        if low <= digit * 10.0**power <= high
    ]
    panel.set_yticks(ticks, [f"{tick:,g}" for tick in ticks], fontsize=8)
    panel.grid(True, alpha=0.3)
    panel.set_xlabel(curve.x)
    panel.set_title({P99: "p99 of a call, ms", MEMORY: "most memory, MB"}.get(label, label), fontsize=10)
