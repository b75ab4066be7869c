"""The curves as Markdown: a table and a verdict each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.curves.curve import Curve
from benchmarks.curves.fitting import MEMORY, P99, TOLERANCE, lines
from benchmarks.curves.plots import PREFIX, points_of
from benchmarks.report import number, table
from benchmarks.results import CaseResult, Figures, Finding, Report


def markdown(report: Report, curves: Sequence[Curve], plots: str = "runs") -> str:
    """The machine, and for each curve that the report has its plot, its verdicts and its table."""
    machine = "; ".join(f"{key} {value}" for key, value in report.machine.items() if value is not None)
    parts = [f"{machine}."]
    for curve in curves:
        if points := points_of(report, curve):
            picture = f"![{curve.title}, by {curve.x}]({plots}/{PREFIX}{curve.name}.png)"
            verdict = "\n".join(f"- {line}" for line in verdicts(report, curve))
            parts += [f"**{curve.name}**: {curve.title}", picture, verdict, table(rows(curve, points))]
    return "\n\n".join(parts)


def verdicts(report: Report, curve: Curve) -> Iterator[str]:
    """What each contender's growth is, and where its curve ends."""
    (found,) = [case.findings for case in report.cases if case.name == curve.name]
    for finding in found:
        yield f"{finding.text}: {finding.value:.2f}, {judgement(curve, finding)}"
    for name, figures in lines(points_of(report, curve)).items():
        if ended := next((each for each in figures if each.missing), None):
            yield f"{name} ends before {ended.more[curve.x]:g}: {ended.missing}"


def judgement(curve: Curve, finding: Finding) -> str:
    if finding.met:
        return "linear or better"
    reason = next((why for name, why in curve.reasons.items() if f" {name}, " in finding.text), None)
    return f"worse than linear: {reason}" if reason else f"WORSE THAN LINEAR (beyond {1 + TOLERANCE:g})"


def rows(curve: Curve, points: Sequence[CaseResult]) -> list[list[str]]:
    """A row a value; of each contender the rate, p99 and memory."""
    names = list(lines(points))
    heads = [f"{unit}, {name}" for unit in (f"{curve.unit}/s", P99, MEMORY) for name in names]
    return [[curve.x, *heads], *([f"{case.figures[0].more[curve.x]:g}", *cells(case)] for case in points)]


def cells(case: CaseResult) -> list[str]:
    more = [cell(each, name) for name in (P99, MEMORY) for each in case.figures]
    return ["" if each.missing else number(each.rate) for each in case.figures] + more


def cell(figures: Figures, name: str) -> str:
    return number(figures.more[name]) if name in figures.more else ""
