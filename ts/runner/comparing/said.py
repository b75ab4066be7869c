"""What one side answers to a request."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Optional, Protocol

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model, one_line
from ts.runner.batch.known import known_of
from ts.runner.serving.replies import reply_of
from ts.runner.serving.requests import Call

NO_ANSWER = 0  # the status of a request that got none


class Said(NamedTuple):
    """An answer, as a client gets it.

    Attributes:
        status: HTTP status code, or `NO_ANSWER`.
        content_type: None where there is none.
        body: The bytes.
        why: Why a whole batch failed, on one line, where that is known; a client never gets to see it.
    """

    status: int
    content_type: Optional[str]
    body: bytes
    why: str = ""

    @property
    def response(self) -> Any:
        """The body: a JSON value, a str, or else bytes."""
        return Answer(200, self.body, content_type=self.content_type).response

    @property
    def kind(self) -> str:
        """The content type without its parameters, in lower case; "" where there is none."""
        return (self.content_type or "").partition(";")[0].strip().lower()

    @property
    def message(self) -> str:
        """What an answer that is no 200 says."""
        value = self.response
        text = value.get("message", json.dumps(value)) if isinstance(value, dict) else value
        return " ".join(str(text).split())


class Side(Protocol):
    """Whoever is asked."""

    name: str

    def answers(self, calls: Sequence[Call]) -> list[Said]:
        """The answers to one batch, one a request."""


class Here:
    """This library, in this process.

    Attributes:
        known: What is known of the handler.
    """

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.known = known_of(model.handler, model.archive)
        self._model = model

    def answers(self, calls: Sequence[Call]) -> list[Said]:
        answers = self._model.answer([call.request() for call in calls], [call.id for call in calls])
        self._model.metrics.measurements.clear()  # which would grow with each batch
        return [said_of(answer) for answer in answers]


def said_of(answer: Answer) -> Said:
    reply = reply_of(answer)
    return Said(
        reply.status, reply.content_type, reply.body, one_line(answer.reason) if answer.reason else ""
    )
