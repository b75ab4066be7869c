"""Messages between the process that speaks HTTP and its workers.

A message is the lengths of its head and of its content (4 and 8 bytes, most significant first), the head, which is
JSON, and the content: the bytes of all bodies, one behind the other, whose lengths the head tells.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

import orjson

from ts.runner.answering.metrics import Measurement
from ts.runner.serving.answerer import Answered
from ts.runner.serving.forms import Part
from ts.runner.serving.replies import Reply
from ts.runner.serving.requests import Call

LENGTHS = struct.Struct("!IQ")

Facts = tuple[
    int, int, Optional[str], Mapping[str, str]
]  # a reply's status, length, content type and headers


class Message:
    """A message.

    Args:
        whole: All of its bytes.
        length: That of its head.

    Attributes:
        head: The JSON value.
    """

    def __init__(self, whole: bytearray, length: int) -> None:
        self._bytes = memoryview(whole)
        self._read = LENGTHS.size + length
        self.head: Any = orjson.loads(self._bytes[LENGTHS.size : self._read])

    def take(self, length: int) -> bytes:
        """The next bytes of the content."""
        start, self._read = self._read, self._read + length
        return bytes(self._bytes[start : self._read])


class Messages:
    """What arrives, cut into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Takes the next bytes; gives the messages that are whole by them."""
        self._bytes += data
        whole = []
        while (message := self._cut()) is not None:
            whole.append(message)
        return whole

    def _cut(self) -> Optional[Message]:
        if len(self._bytes) < LENGTHS.size:
            return None
        head, content = LENGTHS.unpack_from(self._bytes)
        end = LENGTHS.size + head + content
        if len(self._bytes) < end:
            return None
        whole, self._bytes = self._bytes, self._bytes[end:]
        return Message(whole, head)


def pack(head: Any, contents: Iterable[bytes] = ()) -> bytes:
    """A message."""
    encoded, content = orjson.dumps(head), b"".join(contents)
    return b"".join((LENGTHS.pack(len(encoded), len(content)), encoded, content))


def pack_calls(calls: Sequence[Call], *, in_parts: bool = False) -> bytes:
    """A batch, and whether what handlers send before the last of an answer is to come as it is sent."""
    facts = [
        [call.id, call.headers, [[part.name, part.content_type, len(part.content)] for part in call.parts]]
        for call in calls
    ]
    return pack(
        {"calls": facts, "in_parts": in_parts}, (part.content for call in calls for part in call.parts)
    )


def unpack_calls(message: Message) -> list[Call]:
    return [
        Call(
            tuple(Part(name, kind, message.take(length)) for name, kind, length in parts), headers, request_id
        )
        for request_id, headers, parts in message.head["calls"]
    ]


def pack_answered(answered: Answered) -> bytes:
    replies = answered.replies
    head = {
        "replies": [facts_of(reply) for reply in replies],
        "measured": [tuple(each) for each in answered.measured],
    }
    return pack(head, (reply.body for reply in replies))


def unpack_answered(message: Message) -> Answered:
    replies = [reply_from(message, facts) for facts in message.head["replies"]]
    return Answered(replies, [Measurement(*fields) for fields in message.head["measured"]])


def pack_part(index: int, reply: Reply) -> bytes:
    """What a worker says of the answer to one of a batch's calls before it has the last of it."""
    return pack({"part": index, "reply": facts_of(reply)}, (reply.body,))


def unpack_part(message: Message) -> Optional[tuple[int, Reply]]:
    """The call's index, and what is said; None if the message is the answer to the batch."""
    if "part" not in message.head:
        return None
    return message.head["part"], reply_from(message, message.head["reply"])


def facts_of(reply: Reply) -> Facts:
    return reply.status, len(reply.body), reply.content_type, reply.headers


def reply_from(message: Message, facts: Facts) -> Reply:
    status, length, content_type, headers = facts
    return Reply(status, message.take(length), content_type, headers)
