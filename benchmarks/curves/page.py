"""The curves as Markdown: of each its plot, a table of its growth and one of its figures; of all a summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.cases import OURS, TORCHSERVE
from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99, TIME, growth, is_linear, lines
from benchmarks.curves.plots import PREFIX, points_of
from benchmarks.report import README, number, table
from benchmarks.results import CaseResult, Figures, Report

SPEED = Path(__file__).resolve().parents[2] / "docs" / "speed.md"
HEADS = {TIME: "time of a call", P99: "p99", MEMORY: "memory"}


def pages(report: Report, curves: Sequence[Curve]) -> dict[Path, str]:
    """What stands on which page between the marks that bear the report's name."""
    return {README: markdown(report, curves), SPEED: summary(report, curves)}


def markdown(report: Report, curves: Sequence[Curve], plots: str = "runs") -> str:
    """The machine, and for each curve that the report has its plot, its growth and its figures."""
    machine = "; ".join(f"{key} {value}" for key, value in report.machine.items() if value is not None)
    parts = [f"{machine}."]
    for curve in curves:
        if points := points_of(report, curve):
            parts += [
                f"**{curve.name}**: {curve.title}",
                f"![{curve.title}, by {curve.x}]({plots}/{PREFIX}{curve.name}.png)",
            ]
            parts += [table(exponents(curve, points)), *notes(curve, points), table(rows(curve, points))]
    return "\n\n".join(parts)


def summary(report: Report, curves: Sequence[Curve]) -> str:
    """A row a curve: the time of a call from its first value to its last, and how that and memory grow here."""
    found = [["what grows", "from, to", "torchserve 0.12, ms a call", "here", "exponent", "memory here, MB"]]
    for curve in curves:
        if points := points_of(report, curve):
            found.append([what_grows(curve), *summary_cells(curve, points)])
    return table(found)


def what_grows(curve: Curve) -> str:
    """The values, with the handler that its title begins with, if it does."""
    first = curve.title.split()[0].rstrip(",")
    return f"{first}: {curve.x}" if "_" in first else curve.x


def summary_cells(curve: Curve, points: Sequence[CaseResult]) -> list[str]:
    figures = lines(points)
    (other, others), own = next(iter(figures.items())), figures[OURS]
    there = [each for each in own if not each.missing]
    theirs = span([1000 * each.median for each in others if not each.missing])
    return [
        f"{own[0].more[curve.x]:,g} to {own[-1].more[curve.x]:,g}",
        theirs if other == TORCHSERVE else f"{other}: {theirs}",
        span([1000 * each.median for each in there]),
        shown(TIME, growth(curve.x, own)[TIME]) if len(there) > 1 else "",
        span([each.more[MEMORY] for each in there if MEMORY in each.more]),
    ]


def span(values: Sequence[float]) -> str:
    """The first of some values, and the last."""
    return f"{number(values[0])} to {number(values[-1])}" if values else ""


def exponents(curve: Curve, points: Sequence[CaseResult]) -> list[list[str]]:
    """A row a contender: the exponents of its time, its p99 and its memory, those beyond linear in bold."""
    found = [["exponent of", *HEADS.values()]]
    for name, figures in lines(points).items():
        own = growth(curve.x, figures)
        found.append([name, *(shown(each, own[each]) if each in own else "" for each in HEADS)])
    return found


def shown(name: str, value: float) -> str:
    text = f"{round(value, 2) + 0:.2f}"  # no -0.00
    return text if is_linear(name, value) else f"**{text}**"


def notes(curve: Curve, points: Sequence[CaseResult]) -> Iterator[str]:
    """Why a contender's time grows faster than linear, and where its line ends."""
    for name, figures in lines(points).items():
        own = growth(curve.x, figures)
        if beyond := [HEADS[each] for each, value in own.items() if not is_linear(each, value)]:
            reason = curve.reasons.get(name, "NO REASON KNOWN")
            yield f"{name}, {' and '.join(beyond)} worse than linear: {reason}."
        if ended := next((each for each in figures if each.missing), None):
            yield f"{name} ends before {ended.more[curve.x]:,g}: {ended.missing}."


def rows(curve: Curve, points: Sequence[CaseResult]) -> list[list[str]]:
    """A row a value; of each contender the rate, p99 and memory."""
    names = list(lines(points))
    heads = [f"{unit}, {name}" for unit in (f"{curve.unit}/s", P99, MEMORY) for name in names]
    return [[curve.x, *heads], *([f"{case.figures[0].more[curve.x]:,g}", *cells(case)] for case in points)]


def cells(case: CaseResult) -> list[str]:
    more = [cell(each, name) for name in (P99, MEMORY) for each in case.figures]
    return ["" if each.missing else number(each.rate) for each in case.figures] + more


def cell(figures: Figures, name: str) -> str:
    return number(figures.more[name]) if name in figures.more else ""
