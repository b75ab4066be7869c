"""Messages between the process that speaks HTTP and its workers.

A message is the lengths of its head and of its content (4 and 8 bytes, most significant first), the head, which is
JSON, and the content: the bytes of all bodies, one behind the other, whose lengths the head tells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, Optional

import orjson

from ts.runner.serving.answerer import Answered
from ts.runner.serving.forms import Part
from ts.runner.serving.replies import Reply
from ts.runner.serving.requests import Call

LENGTHS = struct.Struct("!IQ")


class Message:
    """A message that is made of what arrives.

    Attributes:
        head: The JSON value; complete when `feed` has said so.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._lengths: Optional[tuple[int, int]] = None
        self._read = 0
        self.head: Any = None

    def feed(self, data: bytes) -> bool:
        """Takes the next bytes, which must be none of the next message; says whether this one is whole."""
        self._bytes += data
        if self._lengths is None:
            if len(self._bytes) < LENGTHS.size:
                return False
            self._lengths = LENGTHS.unpack_from(self._bytes)
        start, content = LENGTHS.size, self._lengths[0] + self._lengths[1]
        if len(self._bytes) < start + content:
            return False
        self._read = start + self._lengths[0]
        self.head = orjson.loads(memoryview(self._bytes)[start : self._read])
        return True

    def take(self, length: int) -> bytes:
        """The next bytes of the content."""
        start, self._read = self._read, self._read + length
        return bytes(memoryview(self._bytes)[start : self._read])


def pack(head: Any, contents: Iterable[bytes] = ()) -> bytes:
    """A message."""
    encoded, content = orjson.dumps(head), b"".join(contents)
    return b"".join((LENGTHS.pack(len(encoded), len(content)), encoded, content))


def pack_calls(calls: Sequence[Call]) -> bytes:
    head = [
        [call.id, call.headers, [[part.name, part.content_type, len(part.content)] for part in call.parts]]
        for call in calls
    ]
    return pack(head, (part.content for call in calls for part in call.parts))


def unpack_calls(message: Message) -> list[Call]:
    return [
        Call(
            tuple(Part(name, kind, message.take(length)) for name, kind, length in parts), headers, request_id
        )
        for request_id, headers, parts in message.head
    ]


def pack_answered(answered: Answered) -> bytes:
    replies = answered.replies
    head = [[reply.status, len(reply.body), reply.content_type, reply.headers] for reply in replies]
    return pack([head, answered.times], (reply.body for reply in replies))


def unpack_answered(message: Message) -> Answered:
    head, times = message.head
    replies = [Reply(status, message.take(length), kind, headers) for status, length, kind, headers in head]
    return Answered(replies, times)
