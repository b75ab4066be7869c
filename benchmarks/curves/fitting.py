"""How fast a figure grows: the exponent k of c * x**k, at the end of a curve, where constants count least."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.results import CaseResult, Figures, Finding, quartiles

UPPER_END = 3  # points
TOLERANCE = (
    0.15  # of the exponent: 1.23 times as slow over a fourfold x, which is within a shared machine's noise
)
MEMORY, P99 = "memory MB", "p99 ms"


def exponent(xs: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms of at least two points, by least squares."""
    return float(np.polyfit(np.log(xs), np.log(values), 1)[0])


def growth(name: str, x: str, points: Sequence[Figures]) -> list[Finding]:
    """How the time of a call and the memory of one contender grow over a curve.

    Args:
        name: the contender.
        x: what grows, by which `Figures.more` has its value.
        points: ascending; those without figures are left out.
    """
    last = [each for each in points if not each.missing][-UPPER_END:]
    if len(last) < 2:
        return []
    xs = [each.more[x] for each in last]
    rounds = [exponent(xs, seconds) for seconds in zip(*(each.seconds for each in last))]
    found = [_finding(f"{name}, seconds a call", exponent(xs, [each.median for each in last]), rounds)]
    if all(MEMORY in each.more for each in last):
        found.append(_finding(f"{name}, memory", exponent(xs, [each.more[MEMORY] for each in last]), []))
    return found


def _finding(text: str, value: float, rounds: list[float]) -> Finding:
    return Finding(f"exponent of {text}", value, *quartiles(rounds or [value]), most=1 + TOLERANCE)


def lines(cases: Sequence[CaseResult]) -> dict[str, list[Figures]]:
    """The figures of the points of a curve, by contender."""
    found: dict[str, list[Figures]] = {}
    for case in cases:
        for figures in case.figures:
            found.setdefault(figures.name, []).append(figures)
    return found
