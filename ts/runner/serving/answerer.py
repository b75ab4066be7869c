"""Calls, answered by a model that runs here: in a worker process, or in a thread."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

from ts.runner.answering.answer import Answer
from ts.runner.answering.metrics import Measurement, Metrics
from ts.runner.answering.model import Model
from ts.runner.serving.replies import WITHOUT_BODY, Reply, ends_request, reply_of
from ts.runner.serving.requests import Call

logger = logging.getLogger(__name__)


class Answered(NamedTuple):
    """The replies to a batch, and what the handler measured meanwhile, e.g. HandlerTime."""

    replies: list[Reply]
    measured: list[Measurement]


class Parts:
    """Tells on what a handler sends of an answer before the last of it.

    Args:
        calls: The batch.
        tell: Gets a call's index and what is sent, of which the first has the status and the headers.
    """

    def __init__(self, calls: Sequence[Call], tell: Callable[[int, Reply], None]) -> None:
        self._indexes = {call.id: index for index, call in enumerate(calls)}
        self._tell = tell
        self._told: dict[str, bool] = {}

    def say(self, request_id: str, answer: Answer) -> None:
        """Tells it, unless the whole answer will be an error, or have no body, by the status of its first part."""
        has_body = ends_request(answer.status) and answer.status not in WITHOUT_BODY
        if request_id in self._indexes and self._told.setdefault(request_id, has_body):
            self._tell(self._indexes[request_id], reply_of(answer))

    def rest_of(self, call: Call, answer: Answer) -> Reply:
        """What is not told yet of an answer; a 503 if the handler failed after its first part."""
        if not self._told.get(call.id):
            return reply_of(answer)
        return Reply(200, answer.body) if answer.reason is None else Reply(503, b"")


def answer_calls(
    model: Model, calls: Sequence[Call], tell: Optional[Callable[[int, Reply], None]] = None
) -> Answered:
    """One reply a call, in the same order; never an exception, but that which ends a process.

    Args:
        model: The model.
        calls: The batch.
        tell: Gets parts of answers as they are sent, see `Parts`; what is left of such an answer is its reply.
    """
    requests, ids = [call.request() for call in calls], [call.id for call in calls]
    parts = Parts(calls, tell) if tell else None
    answers = model.answer(requests, ids, parts.say if parts else None)
    log_faults(calls, answers)
    if parts:
        replies = [parts.rest_of(call, answer) for call, answer in zip(calls, answers)]
    else:
        replies = [reply_of(answer) for answer in answers]
    return Answered(replies, take_measurements(model.metrics))


def log_faults(calls: Sequence[Call], answers: Sequence[Answer]) -> None:
    """What failed as a whole batch, with the requests' ids; what a client can cause without a traceback."""
    fault = answers[0].reason
    if fault is not None and answers[0].status >= 500:
        logger.error("requests %s failed", ", ".join(call.id for call in calls), exc_info=fault)


def take_measurements(metrics: Metrics) -> list[Measurement]:
    """What was measured, in plain numbers and texts; the model forgets it, so that a server does not grow."""
    taken = []
    for name, value, unit, _, dimensions, kind in metrics.measurements:
        texts = {plain_text(key): plain_text(each) for key, each in dimensions.items()}
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            taken.append(Measurement(plain_text(name), number, plain_text(unit), None, texts, kind))
        else:
            logger.error("metric %s is dropped: %r is no number", name, value)
    metrics.measurements.clear()
    return taken


def plain_text(value: object) -> str:
    """A text that any encoding of Unicode can write."""
    return str(value).encode("utf-8", "replace").decode()
