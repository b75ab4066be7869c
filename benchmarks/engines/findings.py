"""Ratios to TorchServe with these handlers, and what is aimed at."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Callable, Optional

from benchmarks.engines.contenders import EMBEDDED, OURS, Contender
from benchmarks.load.loads import Closed, Load, Measured
from benchmarks.results import CaseResult, Figures, Finding, quartiles

BUSY = 16  # clients, with whom requests a second and p99 are aimed at
MEAN_BATCH_AT = 60  # arrivals a second, at which the mean batch is
MEAN_BATCH = (0.95, 1.05)
START = (None, 0.5)

Aim = tuple[Optional[float], Optional[float]]  # the least and the most that a ratio may be
NO_AIM: Aim = (None, None)
COLUMNS: dict[str, Callable[[Measured], float]] = {
    "requests a second": lambda each: each.rate,
    "p99": lambda each: each.percentile(0.99),
    "CPU a request": lambda each: each.cpu_ms,
    "mean batch": lambda each: each.mean_batch or math.nan,
}


def findings(
    rounds: Mapping[str, Sequence[Measured]],
    contenders: Sequence[Contender],
    load: Load,
    rate: Optional[float] = None,
) -> list[Finding]:
    """Each contender's ratios, by round.

    Args:
        rounds: What was measured, by the contenders' keys.
        contenders: Those of whom there may be some.
        load: What all were under.
        rate: The least ratio of the embedded engine's requests a second.
    """
    found = []
    for contender in contenders:
        if contender is OURS or not rounds.get(OURS.key) or not rounds.get(contender.key):
            continue
        aims = aims_of(load, rate) if contender is EMBEDDED else {}
        for what, column in COLUMNS.items():
            if (what == "requests a second" and not isinstance(load, Closed)) or (
                what == "mean batch" and what not in aims
            ):
                continue  # the load's, or no more than what the figures tell
            own, base = ([column(each) for each in rounds[key]] for key in (contender.key, OURS.key))
            if all(value > 0 for value in [*own, *base]):  # which is not so of NaN either
                found.append(
                    ratio(f"{contender.name} / {OURS.name}, {what}", own, base, aims.get(what, NO_AIM))
                )
    return found


def aims_of(load: Load, rate: Optional[float]) -> dict[str, Aim]:
    """What the embedded engine's ratios are to be."""
    if isinstance(load, Closed):
        return (
            {"requests a second": (rate, None), "p99": (None, 1.0)} if rate and load.clients == BUSY else {}
        )
    return {"mean batch": MEAN_BATCH} if load.rate == MEAN_BATCH_AT else {}


def ratio(text: str, own: Sequence[float], base: Sequence[float], aim: Aim = NO_AIM) -> Finding:
    """The ratio of medians, and the quartiles of the rounds' ratios."""
    by_round = [mine / theirs for mine, theirs in zip(own, base)]
    value = statistics.median(own) / statistics.median(base)
    return Finding(text, value, *quartiles(by_round), *aim)


def starts(name: str, title: str, ready: Mapping[str, float], contenders: Sequence[Contender]) -> CaseResult:
    """The seconds from the commands to the first 200."""
    figures = [Figures(each.name, 1, [ready[each.key]]) for each in contenders if each.key in ready]
    found = [
        ratio(
            f"{each.name} / {OURS.name}, time",
            [ready[each.key]],
            [ready[OURS.key]],
            START if each is EMBEDDED else NO_AIM,
        )
        for each in contenders
        if each is not OURS and each.key in ready and OURS.key in ready
    ]
    return CaseResult(name, f"{title}: from the command to the first 200", "starts", figures, found)
