"""Rounds in which servers are put under load in turn, so that whatever else the machine does meets all alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

from benchmarks.engines.archives import Served
from benchmarks.engines.contenders import Contender
from benchmarks.engines.servers import Server, ServerFailedError, wait_until_idle
from benchmarks.load.generator import Generator
from benchmarks.load.loads import Arrivals, Closed, Load, Measured, arrival_times, measured
from benchmarks.measuring.in_turn import say
from benchmarks.processes.trees import own_memory, peak_memory
from benchmarks.results import Figures

WARM_UPS = 6
JAVA_SECONDS = 6.0
LATE = 0.02  # seconds after it was due that a request may be sent without a note
WARM = 0.1  # the share by which a round of a warm-up may be faster than the one before

Rounds = dict[str, list[Measured]]  # by the contender's key


@dataclass(frozen=True)
class Plan:
    """How a run measures.

    Attributes:
        rounds: How often each contender is put under each load.
        seconds: Of each load, where that does not say more.
        seed: Of arrivals.
        quick: Whether it only tries the scripts.
        trace: Whether the times of each request are kept.
    """

    rounds: int = 5
    seconds: float = 1.5
    seed: int = 0
    quick: bool = False
    trace: bool = False


class Field:
    """The servers that run at the moment.

    Attributes:
        plan: How they are measured.
        servers: Those that run, by their contenders' keys.
        missing: Why others do not.
        ready: The seconds that each needed to its first 200.
        generator: What puts them under load.
    """

    def __init__(self, generator: Generator, plan: Plan) -> None:
        self.plan = plan
        self.servers: dict[str, Server] = {}
        self.missing: dict[str, str] = {}
        self.ready: dict[str, float] = {}
        self.generator = generator

    def start(self, contenders: Sequence[Contender], served: Served) -> None:
        """Starts those that do not run yet with an archive, one after the other, and warms them up."""
        for contender in contenders:
            if contender.key not in self.servers:
                self._start(contender, served)
        wait_until_idle(list(self.servers.values()))

    def _start(self, contender: Contender, served: Served) -> None:
        reason = contender.missing() or contender.cannot(served)
        if reason:
            self.missing[contender.key] = reason
            return
        say(f"  starting {contender.name}")
        try:
            server = Server(contender, served).__enter__()
        except ServerFailedError as error:
            say(f"  {contender.name} {error}")
            self.missing[contender.key] = str(error).splitlines()[0]
            return
        self.servers[contender.key] = server
        self.ready[contender.key] = server.ready
        self.warm_up(contender.key)

    def stop(self, key: str) -> None:
        if server := self.servers.pop(key, None):
            server.stop()

    def warm_up(self, key: str) -> None:
        """Asks until the server gets no faster: Java compiles what runs often."""
        self._warm_up_java(self.servers[key])
        before, seconds = 0.0, self.plan.seconds / 2
        for _ in range(1 if self.plan.quick else WARM_UPS):
            (found,) = self.measure([key], Closed(16, seconds), 0).values()
            if found.rate < (1 + WARM) * before:
                break
            before = found.rate

    def _warm_up_java(self, server: Server) -> None:
        """Asks what stands beside the model, since Java compiles what has run some thousand times.

        At a model's rate that takes minutes, in which the compiler has up to half of a core.
        """
        if server.served.beside:
            seconds = 1.0 if self.plan.quick else JAVA_SECONDS
            load = {"requests": server.served.beside.requests(), "clients": 16, "seconds": seconds}
            self.generator.send([{"port": server.port, **load}])

    def measure(self, keys: Sequence[str], load: Load, number: int) -> dict[str, Measured]:
        """Puts servers under load at the same time."""
        servers = [self.servers[key] for key in keys]
        tasks = [
            {**task_of(server, load, self.plan.seed + number), "trace": self.plan.trace} for server in servers
        ]
        before = [server.cpu_seconds() for server in servers]
        found = self.generator.send(tasks)
        used = [server.cpu_seconds() - earlier for server, earlier in zip(servers, before)]
        return {key: measured(back, cpu) for key, back, cpu in zip(keys, found, used)}

    def rounds(
        self, keys: Sequence[str], loads: Sequence[Load], most: Optional[int] = None
    ) -> dict[Load, Rounds]:
        """All loads in turn, for each server after the other; every second round backwards.

        Args:
            keys: Of the contenders; those that do not run are left out.
            loads: The loads.
            most: Of the plan's rounds.
        """
        keys = [key for key in keys if key in self.servers]
        found: dict[Load, Rounds] = {load: {key: [] for key in keys} for load in loads}
        count = min(self.plan.rounds, most or self.plan.rounds)
        for number in range(count):
            say(f"  round {number + 1} of {count}")
            for key in keys if number % 2 == 0 else reversed(keys):
                for load in loads:
                    found[load][key] += self.measure([key], load, number).values()
        return found

    def at_once(self, keys: Sequence[str], load: Load, most: int) -> Rounds:
        """All servers under the same load at the same time, where they wait more than they compute."""
        keys = [key for key in keys if key in self.servers]
        found: Rounds = {key: [] for key in keys}
        for number in range(min(self.plan.rounds, most)):
            for key, each in self.measure(keys, load, number).items():
                found[key].append(each)
        return found

    def figures(self, contender: Contender, rounds: Rounds) -> Figures:
        if contender.key not in rounds:
            return Figures(contender.name, 1, missing=self.missing.get(contender.key, "not asked for"))
        return figures_of(contender.name, rounds[contender.key], self._memory(contender.key))

    def _memory(self, key: str) -> dict[str, float]:
        """Megabytes, after the loads: of all processes of a server, and of a worker of TorchServe."""
        server = self.servers[key]
        found, workers = {"memory MB": server.memory()}, server.workers()
        if workers:
            found["a worker's MB"] = max(map(own_memory, workers))
            found["its peak MB"] = max(map(peak_memory, workers))
        return found


@contextmanager
def field(generator: Generator, plan: Plan) -> Iterator[Field]:
    """An empty one, whose servers end with the `with` block."""
    result = Field(generator, plan)
    try:
        yield result
    finally:
        for key in list(result.servers):
            result.stop(key)


def task_of(server: Server, load: Load, seed: int) -> dict[str, Any]:
    """As the load generator is told."""
    task: dict[str, Any] = {"port": server.port, "requests": server.requests}
    if isinstance(load, Arrivals):
        return {**task, "times": arrival_times(load, seed)}
    return {**task, "clients": load.clients, "seconds": load.seconds}


def figures_of(
    name: str, rounds: Sequence[Measured], memory: Optional[Mapping[str, float]] = None
) -> Figures:
    """A round's figure is the seconds that a request took of the server, so that their median gives the rate."""

    def median(values: Sequence[Optional[float]]) -> Optional[float]:
        there = [value for value in values if value is not None and not math.isnan(value)]
        return statistics.median(there) if there else None

    more = {
        "p50 ms": median([each.percentile(0.5) for each in rounds]),
        "p99 ms": median([each.percentile(0.99) for each in rounds]),
        "CPU ms": median([each.cpu_ms for each in rounds]),
        "mean batch": median([each.mean_batch for each in rounds]),
        **(memory or {}),
        "lost": float(sum(each.lost for each in rounds)),
    }
    missing = None if any(each.latencies for each in rounds) else "no request was answered"
    notes = [f"{count} requests: {what}" for what, count in failures(rounds).items()]
    lag = max((each.lag for each in rounds), default=0.0)
    if lag > LATE:
        notes.append(f"sent up to {1000 * lag:.0f} ms late, which the latencies tell")
    seconds = [1 / each.rate for each in rounds if each.latencies]
    known = {key: value for key, value in more.items() if value is not None}
    return Figures(name, 1, seconds, missing=missing, more=known, notes=notes)


def failures(rounds: Sequence[Measured]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in rounds:
        for what, count in each.failed.items():
            found[what] = found.get(what, 0) + count
    return found
