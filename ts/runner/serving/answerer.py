"""Calls, answered by a model that runs here: in a worker process, or in a thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ts.runner.answering.answer import Answer
from ts.runner.answering.metrics import Metrics
from ts.runner.answering.model import Model
from ts.runner.serving.replies import Reply, reply_of
from ts.runner.serving.requests import Call

logger = logging.getLogger(__name__)

SECONDS = {"ms": 1e-3, "s": 1.0}  # by the unit of a time

Times = Mapping[str, Sequence[float]]  # what a handler measured, in seconds, by the names that it has for it


class Answered(NamedTuple):
    """The replies to a batch, and the times that the handler measured meanwhile, e.g. HandlerTime."""

    replies: list[Reply]
    times: Times


def answer_calls(model: Model, calls: Sequence[Call]) -> Answered:
    """One reply a call, in the same order; never an exception, but that which ends a process."""
    answers = model.answer([call.request() for call in calls], [call.id for call in calls])
    log_faults(calls, answers)
    return Answered([reply_of(answer) for answer in answers], take_times(model.metrics))


def log_faults(calls: Sequence[Call], answers: Sequence[Answer]) -> None:
    """What failed as a whole batch, with the requests' ids; what a client can cause without a traceback."""
    fault = answers[0].reason
    if fault is not None and answers[0].status >= 500:
        logger.error("requests %s failed", ", ".join(call.id for call in calls), exc_info=fault)


def take_times(metrics: Metrics) -> Times:
    """The times among what was measured; all of it is forgotten, so that a server does not grow by it."""
    times: dict[str, list[float]] = {}
    for measurement in metrics.measurements:
        if measurement.unit in SECONDS:
            times.setdefault(measurement.name, []).append(measurement.value * SECONDS[measurement.unit])
    metrics.measurements.clear()
    return times
