"""Loads, and what was measured of them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Union


@dataclass(frozen=True)
class Closed:
    """Clients that send the next request as soon as they have the answer to the last."""

    clients: int
    seconds: float

    def __str__(self) -> str:
        return "1 client" if self.clients == 1 else f"{self.clients} clients"


@dataclass(frozen=True)
class Arrivals:
    """Requests that come by themselves, as many at a time as it happens (a Poisson process)."""

    rate: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.rate:.3g} arrivals/s"


Load = Union[Closed, Arrivals]


def arrival_times(arrivals: Arrivals, seed: int) -> list[float]:
    """Seconds from the start; the same for the same seed."""
    draw = random.Random(seed)
    times, now = [], draw.expovariate(arrivals.rate)
    while now < arrivals.seconds:
        times.append(now)
        now += draw.expovariate(arrivals.rate)
    return times


@dataclass(frozen=True)
class Measured:
    """What one contender did under one load.

    Attributes:
        seconds: From the first request's time to the last answer.
        latencies: Of the requests that were answered by 200, in seconds. Those of arrivals count from when the
            request was due, whenever it was sent.
        rows: Of each of these answers' batches, where the handler tells.
        failed: How many requests got another answer, a wrong one or none, by what they got.
        lag: The longest time for which a request that was due was not sent yet, in seconds.
        cpu: Seconds of all the server's processes meanwhile.
        traced: Of each answered request its id, and when it was due and answered, where that was asked for.
    """

    seconds: float
    latencies: list[float]
    rows: list[int] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    lag: float = 0.0
    cpu: float = 0.0
    traced: list[tuple[str, float, float]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Of the latencies, in milliseconds: the smallest that this share of them does not exceed."""
        return 1000 * percentile(self.latencies, share)

    @property
    def cpu_ms(self) -> float:
        """An answer."""
        return 1000 * self.cpu / len(self.latencies) if self.latencies else math.nan

    @property
    def mean_batch(self) -> Optional[float]:
        """Each answer of a batch of `n` rows tells of one `n`th of a batch."""
        return len(self.rows) / sum(1 / rows for rows in self.rows) if self.rows else None

    @property
    def lost(self) -> int:
        return sum(self.failed.values())


def measured(found: dict[str, Any], cpu: float) -> Measured:
    """What the generator wrote, and the CPU seconds that it cannot know."""
    return Measured(**found, cpu=cpu)


def percentile(values: Sequence[float], share: float) -> float:
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
