"""Draws a curve: rate, p99 and memory by what grows, both axes logarithmic, a line a contender."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

from benchmarks.cases import OURS
from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99, lines, upper_end
from benchmarks.report import import_pyplot
from benchmarks.results import CaseResult, Figures, Report

COLOURS = ("dimgrey", "tab:blue", "tab:green", "tab:orange")
MARKERS = "osD^"
PREFIX = "curves-"  # of the names of files
GUIDE = f"linear, from the middle of {OURS}'s line on"
LEAST_RANGE = 4.0  # from the bottom of a panel to its top: what hardly grows shall look so

Value = Callable[[Figures], float]


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
    panels: dict[str, Value] = {
        f"{curve.unit} a second": rate,
        "p99 of a call, ms": p99,
        "most memory, MB": memory,
    }
    figure, axes = pyplot.subplots(1, len(panels), figsize=(11, 4.2), layout="constrained")
    for panel, (title, value) in zip(axes, panels.items()):
        draw_lines(panel, curve, points, value)
        panel.set_title(title, fontsize=11)
        finish(panel, curve, [case.figures[0].more[curve.x] for case in points])
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=10, frameon=False)
    machine = report.machine
    where = f"{machine['cores']} cores of {machine['processor']}, torch {machine['torch']}, {machine['date']}"
    figure.suptitle(f"{curve.name}: {curve.title}\n{where}", fontsize=10)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def rate(figures: Figures) -> float:
    return figures.rate


def p99(figures: Figures) -> float:
    return figures.more[P99]


def memory(figures: Figures) -> float:
    return figures.more.get(MEMORY, math.nan)


def draw_lines(panel: Any, curve: Curve, points: Sequence[CaseResult], value: Value) -> None:
    """A line a contender; a cross on its last point where it ends before the others, since the next failed."""
    for colour, marker, (name, figures) in zip(COLOURS, MARKERS, lines(points).items()):
        there = [each for each in figures if not each.missing]
        if not there:
            continue
        xs, values = [each.more[curve.x] for each in there], [value(each) for each in there]
        panel.plot(xs, values, marker=marker, markersize=5, color=colour, label=name)
        if len(there) < len(figures):
            panel.plot(xs[-1:], values[-1:], marker="X", markersize=12, color=colour)
    panel.relim()
    low, high = panel.dataLim.intervaly
    spare = max(1.15, math.sqrt(LEAST_RANGE / max(high / low, 1e-9)))
    if math.isfinite(low) and low > 0:
        panel.set_yscale("log")
        panel.set_ylim(low / spare, high * spare)
    draw_guide(panel, curve, lines(points).get(OURS, []), value)


def draw_guide(panel: Any, curve: Curve, figures: Sequence[Figures], value: Value) -> None:
    """Where the line would go if the time of a call, or memory, grew as what grows does."""
    last = upper_end(figures)
    if len(last) < 2:
        return
    xs = [each.more[curve.x] for each in last]
    if value is rate:  # rows / time
        guide = [last[0].rate * (each.rows / last[0].rows) / (x / xs[0]) for x, each in zip(xs, last)]
    else:
        guide = [value(last[0]) * x / xs[0] for x in xs]
    panel.plot(xs, guide, linestyle=(0, (2, 2)), linewidth=1.2, color="tab:red", label=GUIDE)


def finish(panel: Any, curve: Curve, xs: Sequence[float]) -> None:
    panel.set_xscale("log")
    panel.set_xticks(xs, [f"{x:,g}" for x in xs], rotation=45, ha="right", rotation_mode="anchor")
    ticks = ticks_between(*panel.get_ylim())
    panel.set_yticks(ticks, [f"{tick:,g}" for tick in ticks])
    panel.minorticks_off()
    panel.tick_params(labelsize=9)
    panel.grid(True, alpha=0.3)
    panel.set_xlabel(curve.x, fontsize=10)


def ticks_between(low: float, high: float) -> list[float]:
    """Round numbers, at most about eight of them."""
    digits = (1, 1.5, 2, 3, 5, 7) if high / low < 10 else (1, 2, 5) if high / low < 300 else (1,)
    ticks = (digit * 10.0**power for power in range(-4, 8) for digit in digits)
    return [tick for tick in ticks if low <= tick <= high]
