"""The archives and loads that are measured."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from benchmarks.engines.archives import Served, write_echo, write_photo, write_slow, write_text
from benchmarks.engines.contenders import (
    EMBEDDED,
    LITSERVE,
    OTHER_RAYS,
    OURS,
    RAY,
    SIDE_BY_SIDE,
    STOCK,
    Contender,
)
from benchmarks.engines.findings import BUSY, MEAN_BATCH_AT, findings
from benchmarks.engines.measuring import Field, Plan, Rounds
from benchmarks.engines.servers import Server
from benchmarks.load.loads import Arrivals, Closed, Load
from benchmarks.measuring.agreement import labels
from benchmarks.results import CaseResult, Figures

CLIENTS = (1, BUSY)
SHARES = (0.5, 0.8)  # of the slowest's closed rate, for arrivals
SLOW_RATES = (40, MEAN_BATCH_AT, 70)  # a second, of 80 that batches of 8 in 100 ms make
SLOW_SECONDS = 12
SLOW_ROUNDS = 2
ARRIVAL_ROUNDS = 3
DOZENS, MOST_SECONDS = 60, 6
COMPARED = 3  # requests whose answers are compared


@dataclass(frozen=True)
class Case:
    """An archive, and the loads it is put under.

    Attributes:
        name: By which it is chosen on the command line.
        title: In the tables.
        write: Writes the archive into a folder, for a `batchSize`.
        batch_size: The `batchSize`.
        rate: The least ratio of the embedded engine's requests a second to TorchServe's, with 16 clients.
        arrivals: Whether there are open arrivals beside the closed loops.
        side_by_side: The contenders that run at once.
        others: Those that come after, each beside TorchServe.
        most_rounds: Of closed loops.
        compares: Whether answers are compared, which are probabilities by label then.
    """

    name: str
    title: str
    write: Callable[[Path, int], Served]
    batch_size: int
    rate: Optional[float] = None
    arrivals: bool = False
    side_by_side: tuple[Contender, ...] = SIDE_BY_SIDE
    others: tuple[Contender, ...] = ()
    most_rounds: int = 100
    compares: bool = True


MAIN = (OURS, EMBEDDED, RAY)
SLOW = Case(
    "slow",
    "a handler that takes 100 ms a batch",
    write_slow,
    8,
    side_by_side=(OURS, EMBEDDED, LITSERVE),
    others=(RAY,),  # whose own work would slow those down that are asked at the same time
    compares=False,
)
CASES = (
    Case("echo", "echo of 100 bytes", write_echo, 8, rate=1.4, others=OTHER_RAYS, compares=False),
    Case("text", "news, 4 kB at most", write_text, 8, rate=1.2, arrivals=True),
    Case(
        "photo",
        "EfficientNet-Lite0, JPEGs of 51 kB",
        write_photo,
        8,
        rate=1.0,
        arrivals=True,
        others=OTHER_RAYS[:1],
    ),
    Case("echo-1", "echo of 100 bytes", write_echo, 1, side_by_side=MAIN, most_rounds=3, compares=False),
    Case("text-1", "news, 4 kB at most", write_text, 1, side_by_side=(STOCK, *MAIN), most_rounds=3),
    Case("photo-1", "EfficientNet-Lite0, JPEGs of 51 kB", write_photo, 1, side_by_side=MAIN, most_rounds=3),
    SLOW,
)


def run_case(case: Case, served: Served, field: Field, only: Sequence[str]) -> list[CaseResult]:
    """Measures the contenders of a case that are asked for; one result a load and group of contenders."""
    chosen = [each for each in case.side_by_side if each.key in only]
    results = run_group(case, served, field, chosen)
    field.stop(RAY.key)  # one cluster at a time
    for other in () if field.plan.quick else case.others:
        if other.key in only:
            results += run_group(case, served, field, [each for each in chosen if each is OURS] + [other])
            field.stop(other.key)
    return results


def run_group(case: Case, served: Served, field: Field, contenders: Sequence[Contender]) -> list[CaseResult]:
    if not contenders:
        return []
    field.start(contenders, served)
    keys = [each.key for each in contenders]
    if case is SLOW:
        found: dict[Load, Rounds] = {
            load: field.at_once(keys, load, SLOW_ROUNDS) for load in slow_loads(field.plan)
        }
    else:
        found = field.rounds(keys, closed_loads(field.plan), case.most_rounds)
        if case.arrivals and EMBEDDED in contenders:
            arrivals = arrivals_below(slowest(found), field.plan)
            found.update(field.rounds(keys, arrivals, ARRIVAL_ROUNDS))
    return [result(case, load, rounds, field, contenders) for load, rounds in found.items()]


def closed_loads(plan: Plan) -> list[Load]:
    return [Closed(clients, plan.seconds * (0.5 if clients == 1 else 1)) for clients in CLIENTS]


def slow_loads(plan: Plan) -> list[Load]:
    return [Arrivals(rate, 2 if plan.quick else SLOW_SECONDS) for rate in SLOW_RATES]


def arrivals_below(rate: float, plan: Plan) -> list[Load]:
    """Of a real model: for as long as some dozens need to arrive."""
    seconds = [min(MOST_SECONDS, max(2 * plan.seconds, DOZENS / (share * rate))) for share in SHARES]
    return [Arrivals(share * rate, each) for share, each in zip(SHARES, seconds)]


def slowest(found: dict[Load, Rounds]) -> float:
    """Requests a second, with all clients, of the slowest contender; one at least."""
    busiest = max((load for load in found if isinstance(load, Closed)), key=lambda load: load.clients)
    rates = [statistics.median(each.rate for each in rounds) for rounds in found[busiest].values()]
    return max(1.0, min(rates, default=1.0))


def result(
    case: Case, load: Load, rounds: Rounds, field: Field, contenders: Sequence[Contender]
) -> CaseResult:
    title = f"{case.title}, batchSize {case.batch_size}, {load}"
    figures = [field.figures(each, rounds) for each in contenders]
    if case.compares:
        add_agreement(field, dict(zip((each.key for each in contenders), figures)))
    found = findings(rounds, contenders, load, case.rate)
    return CaseResult(case.name, title, "requests", figures, found)


def add_agreement(field: Field, figures: dict[str, Figures]) -> None:
    """Holds each contender's answers beside those of TorchServe with these handlers."""
    expected = answers(field.servers.get(OURS.key))
    for key, its in figures.items():
        found = answers(field.servers.get(key))
        if key != OURS.key and expected and found:
            agreement = labels(expected, found)
            its.agreement = agreement.text
            its.agrees = None if key == STOCK.key else agreement.agrees  # its pixels are its own


def answers(server: Optional[Server]) -> list[dict[str, float]]:
    """None where there is no server, or no answer."""
    bodies = server.answers(COMPARED) if server else []
    return [json.loads(body) for body in bodies] if all(bodies) else []
