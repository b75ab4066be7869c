"""How fast a figure grows: the exponent k of c * x**k over a curve's upper half, where constants count less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.results import CaseResult, Figures

FEWEST = 3  # points that an exponent is taken from, where there are so many
P99, MEMORY = "p99 ms", "memory MB"  # names in `Figures.more`
TIME = "time of a call"
TOLERANCE = {TIME: 0.15, P99: 0.3, MEMORY: 0.15}  # of an exponent: how far it may be above 1 by noise


def exponent(xs: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms of at least two points, by least squares."""
    return float(np.polyfit(np.log(xs), np.log(values), 1)[0])


def upper_end(points: Sequence[Figures]) -> list[Figures]:
    """The last half of the points that have figures, and of few the last three."""
    there = [each for each in points if not each.missing]
    return there[-max(FEWEST, (len(there) + 1) // 2) :]


def growth(x: str, points: Sequence[Figures]) -> dict[str, float]:
    """The exponents of one contender over a curve, by what grows: `TIME`, `P99` and `MEMORY`.

    Args:
        x: what it grows with, by which `Figures.more` has its value.
        points: ascending; those without figures are left out.
    """
    last = upper_end(points)
    if len(last) < 2:
        return {}
    xs = [each.more[x] for each in last]
    found = {TIME: exponent(xs, [each.median for each in last])}
    for name in (P99, MEMORY):
        if all(name in each.more for each in last):
            found[name] = exponent(xs, [each.more[name] for each in last])
    return found


def is_linear(name: str, value: float) -> bool:
    """Whether an exponent, of what `growth` names so, is no worse than linear."""
    return value <= 1 + TOLERANCE[name]


def lines(cases: Sequence[CaseResult]) -> dict[str, list[Figures]]:
    """The figures of the points of a curve, by contender."""
    found: dict[str, list[Figures]] = {}
    for case in cases:
        for figures in case.figures:
            found.setdefault(figures.name, []).append(figures)
    return found
