"""The messages between TorchServe's frontend and its workers, as torchserve 0.12's `otf_message_handler` has them.

Numbers are of 4 bytes, big-endian; a text or content stands behind its length; a list ends with -1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Callable, NamedTuple, Optional

from ts.runner.serving.requests import Call

LOAD, PREDICT = b"L", b"I"
NO_GPU = -1
END = struct.pack("!i", -1)


class Row(NamedTuple):
    """What a worker says of one request."""

    id: str
    content_type: str
    status: int
    headers: dict[str, str]
    content: bytes


class Response(NamedTuple):
    """A worker's message: `code` is 200 unless the whole batch failed, for the reason in `message`."""

    code: int
    message: str
    rows: list[Row]


def load_message(name: str, folder: str, handler: str, batch_size: int, gpu: Optional[int]) -> bytes:
    """Asks a worker to start a handler; it has no envelope, and Pillow's limit of pixels, as by default."""
    parts = [field(name), field(folder), number(batch_size), field(handler)]
    return b"".join([LOAD, *parts, number(NO_GPU if gpu is None else gpu), field(""), b"\1"])


def predict_message(calls: Sequence[Call]) -> bytes:
    """Asks a worker to answer a batch."""
    return b"".join([PREDICT, *map(request, calls), END])


def request(call: Call) -> bytes:
    headers = [field(name) + field(value) for name, value in call.headers.items()]
    parts = [field(part.name) + field(part.content_type) + field(part.content) for part in call.parts]
    return b"".join([field(call.id), *headers, END, *parts, END])


def field(value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return number(len(content)) + content


def number(value: int) -> bytes:
    return struct.pack("!i", value)


class Reader:
    """Reads messages of a worker.

    Args:
        read: Gives that many bytes, fewer only at the end of the connection.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read

    def response(self) -> Response:
        """The next message.

        Raises:
            EOFError: The connection ends before.
        """
        code, message, rows = self._number(), self._text(), []
        while (length := self._number()) >= 0:
            rows.append(self._row(self._bytes(length).decode()))
        return Response(code, message, rows)

    def _row(self, request_id: str) -> Row:
        content_type, status, _ = self._text(), self._number(), self._text()
        headers = {self._text(): self._text() for _ in range(self._number())}
        return Row(request_id, content_type, status, headers, self._bytes(self._number()))

    def _number(self) -> int:
        return struct.unpack("!i", self._bytes(4))[0]

    def _text(self) -> str:
        return self._bytes(self._number()).decode()

    def _bytes(self, length: int) -> bytes:
        content = self._read(length)
        if len(content) < length:
            raise EOFError
        return content
