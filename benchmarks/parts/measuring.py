"""Puts servers under load, and splits the time of their requests and workers, and the CPU's."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.engines.contenders import TorchServe
from benchmarks.engines.measuring import Field
from benchmarks.load.loads import Closed, Measured
from benchmarks.measuring.in_turn import say
from benchmarks.parts.timeline import Batch, Traced, batches, cycle, latency
from benchmarks.processes.trees import own_seconds
from benchmarks.results import CaseResult, Figures

LATENCY = "a request's time, ms"
SLOWEST = "the slowest hundredth's time, ms"
CYCLE = "a worker's time for a request, ms"
CPU = "CPU time of a request, ms"
SUM, MEAN = "sum", "mean latency"
TOTALS = (SUM, MEAN)  # which are no parts


def measure_parts(
    name: str, title: str, contenders: Mapping[str, TorchServe], load: Closed, servers: Field
) -> list[CaseResult]:
    """Measures probed servers in turn, and returns a table each of latencies, workers and the CPU."""
    keys = [key for key in contenders if key in servers.servers]
    tables: dict[str, dict[str, list[dict[str, float]]]] = {
        what: {key: [] for key in keys} for what in (LATENCY, SLOWEST, CYCLE, CPU)
    }
    rates: dict[str, list[float]] = {key: [] for key in keys}
    for number in range(servers.plan.rounds):
        say(f"  round {number + 1} of {servers.plan.rounds}")
        for key in keys if number % 2 == 0 else reversed(keys):
            measured, cpu = trace(key, load, servers, number)
            found = list(batches(servers.servers[key].batches()))
            rates[key].append(1 / measured.rate)
            for what, parts in tables_of(measured, found, cpu).items():
                tables[what][key].append(parts)
    return [
        CaseResult(
            f"{name}, {what}",
            f"{title}: {what}",
            "requests",
            [Figures(key, 1, rates[key], more=medians(rows)) for key, rows in by_key.items()],
            [],
        )
        for what, by_key in tables.items()
    ]


def trace(key: str, load: Closed, servers: Field, number: int) -> tuple[Measured, dict[str, float]]:
    """What a load found, and the CPU seconds of each kind of process meanwhile."""
    workers = servers.servers[key].workers()
    before = sum(map(own_seconds, workers)), servers.generator.cpu_seconds()
    (measured,) = servers.measure([key], load, number).values()
    worker = sum(map(own_seconds, workers)) - before[0]
    clients = servers.generator.cpu_seconds() - before[1]
    return measured, {"frontend": measured.cpu - worker, "worker": worker, "clients": clients}


def tables_of(measured: Measured, found: list[Batch], cpu: dict[str, float]) -> dict[str, dict[str, float]]:
    """The parts by table, with their sum or what it must be."""
    worked = cycle(found, measured.traced)
    each = {part: 1000 * seconds / len(measured.latencies) for part, seconds in cpu.items()}
    return {
        LATENCY: latency_table(found, measured.traced),
        SLOWEST: latency_table(found, slowest(measured.traced)),
        CYCLE: {**worked, SUM: sum(worked.values())},
        CPU: {**each, SUM: sum(each.values())},
    }


def latency_table(found: list[Batch], traced: Sequence[Traced]) -> dict[str, float]:
    spent = latency(found, traced)
    mean = statistics.mean(answered - sent for _, sent, answered in traced)
    return {**spent, SUM: sum(spent.values()), MEAN: 1000 * mean}


def slowest(traced: Sequence[Traced]) -> list[Traced]:
    """The hundredth of the requests, one at least, that took longest."""
    ordered = sorted(traced, key=lambda each: each[2] - each[1])
    return ordered[-max(1, len(ordered) // 100) :]


def medians(rows: list[dict[str, float]]) -> dict[str, Any]:
    """Of each part over the rounds."""
    return {part: statistics.median(row[part] for row in rows) for part in rows[0]} if rows else {}
