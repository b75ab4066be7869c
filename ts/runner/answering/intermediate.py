"""Intermediate answers: what a handler sends a client before it returns the last of an answer.

See TorchServe's documentation, "TorchServe Response Streaming". A client gets the bodies one behind the other,
with status and headers of the first.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Callable, Optional

from ts.runner.answering.answer import Answer, exception_answers
from ts.utils.util import PredictionException

Say = Callable[[str, Answer], None]


class Intermediate:
    """Keeps the intermediate answers of a batch. It is where a worker's context has a socket, `cl_socket`.

    Args:
        say: Is told each of them when it is sent, with the id of its request.

    Attributes:
        answers: The answers to each request so far, by its id, oldest first.
    """

    def __init__(self, say: Optional[Say] = None) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self._say = say

    def keep(self, request_id: str, answer: Answer) -> None:
        self.answers.setdefault(request_id, []).append(answer)
        if self._say:
            self._say(request_id, answer)

    def sendall(self, message: bytes) -> None:
        """Takes a message for the frontend, as torchserve's `send_intermediate_predict_response` makes it."""
        for request_id, answer in read_message(message):
            self.keep(request_id, answer)


class Message(io.BytesIO):
    """A message as torchserve's `ts.protocol.otf_message_handler` encodes it, lengths before contents."""

    def number(self) -> int:
        return struct.unpack("!i", self.read(4))[0]

    def blob(self) -> bytes:
        return self.read(self.number())

    def text(self) -> str:
        return self.blob().decode()


def read_message(content: bytes) -> Iterator[tuple[str, Answer]]:
    """The answers in a message, each with the id of its request."""
    message = Message(content)
    code, said = (
        message.number(),
        message.text(),
    )  # of the batch, which are answers themselves where it failed
    while (length := message.number()) >= 0:
        request_id = message.read(length).decode()
        content_type, status, phrase = message.text(), message.number(), message.text()
        headers = {message.text(): message.text() for _ in range(message.number())}
        headers.pop("content-type", None)
        answer = Answer(status, message.blob(), phrase, content_type or None, headers)
        yield request_id, answer if code == 200 else batch_failure(said, code)


def batch_failure(said: str, code: int) -> Answer:
    """The answer to each request of a batch that failed."""
    return exception_answers(PredictionException(said, code), 1)[0]
