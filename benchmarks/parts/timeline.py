"""A request's time and a worker's, split at the moments that clients and the probe of a worker have noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Traced = tuple[str, float, float]  # a request's id, when it was sent, and when it was answered
HOOKS = {"preprocess": "reading", "inference": "model", "postprocess": "answer"}


@dataclass(frozen=True)
class Batch:
    """A batch as its worker's probe has noted it, see `benchmarks.parts.probe`; moments in seconds.

    Attributes:
        requests: TorchServe's ids of its requests.
        free: When the worker's answers to the batch before had left it.
        came: When its first byte was read.
        left: When its answers had been written.
        encoded: When they were bytes.
        work: The seconds from the one to the other, split: the message read and decoded, the handler's hooks, what
            the handler does besides, and what torchserve's worker does: headers, its metrics, encoding.
    """

    requests: Sequence[str]
    free: float
    came: float
    encoded: float
    left: float
    work: Mapping[str, float]


def batches(noted: Iterable[dict[str, Any]]) -> Iterator[Batch]:
    """All but each worker's first, before which nobody knows when it was free."""
    free: dict[int, float] = {}
    for each in noted:
        worker = each["worker"]
        if worker in free:
            yield Batch(
                each["requests"], free[worker], each["came"], each["encoded"], each["left"], work(each)
            )
        free[worker] = each["left"]


def work(noted: Mapping[str, Any]) -> dict[str, float]:
    handler = noted["ended"] - noted["begun"]
    hooks = {part: noted.get(hook, 0.0) for hook, part in HOOKS.items()}
    return {
        "message": noted["decoded"] - noted["came"],
        **hooks,
        "rest of the handler": handler - sum(hooks.values()),
        "rest of the worker": noted["encoded"] - noted["decoded"] - handler,
    }


def latency(found: Iterable[Batch], traced: Iterable[Traced]) -> dict[str, float]:
    """The mean milliseconds of a request by parts, which add up to its mean latency.

    While its worker answers the batch before, a request counts as queued. What is left until its batch comes to
    the worker is the way through the client's socket, the frontend, which waits for a batch to fill, and the
    worker's socket. The way back is all from the encoded answer to the client.
    """
    times = {request: (sent, answered) for request, sent, answered in traced}
    rows = [
        latency_parts(batch, *times[request])
        for batch in found
        for request in batch.requests
        if request in times
    ]
    return means(rows, len(rows))


def latency_parts(batch: Batch, sent: float, answered: float) -> dict[str, float]:
    there = max(sent, min(batch.free, batch.came))
    return {
        "queue": there - sent,
        "frontend": batch.came - there,
        **batch.work,
        "way back": answered - batch.encoded,
    }


def cycle(found: Iterable[Batch], traced: Sequence[Traced]) -> dict[str, float]:
    """A worker's mean milliseconds a request, from batch to batch, by parts: one worker's add up to 1 / rate."""
    start = min((sent for _, sent, _ in traced), default=0.0)  # before which a worker waited for no client
    known = {request for request, _, _ in traced}
    under_load = [batch for batch in found if batch.free >= start and not known.isdisjoint(batch.requests)]
    rows = [
        {"idle": batch.came - batch.free, **batch.work, "sending": batch.left - batch.encoded}
        for batch in under_load
    ]
    return means(rows, sum(len(batch.requests) for batch in under_load))


def means(rows: Sequence[Mapping[str, float]], count: int) -> dict[str, float]:
    """Sums of seconds, in milliseconds a request."""
    parts = rows[0] if rows else {}
    return {part: 1000 * sum(row[part] for row in rows) / count for part in parts}
