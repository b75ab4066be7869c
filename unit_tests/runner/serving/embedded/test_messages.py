"""What is said between the process that speaks HTTP and a worker."""

from __future__ import annotations

import pytest

from ts.runner.serving.answerer import Answered
from ts.runner.serving.embedded.messages import (
    Message,
    pack,
    pack_answered,
    pack_calls,
    unpack_answered,
    unpack_calls,
)
from ts.runner.serving.forms import Part
from ts.runner.serving.replies import Reply
from ts.runner.serving.requests import Call

CALLS = [
    Call((Part("body", "image/jpeg", bytes(range(256))),), {"x-own": "h\u00e9"}, "1"),
    Call((), {"describe": "True"}, "2"),
    Call((Part("data", "", b""), Part("\u4e2d", "text/plain", b"x")), {}, "3"),
]
ANSWERED = Answered(
    [Reply(200, b"\xff", "image/png", {"X-Own": "1"}), Reply(503, b""), Reply(200, b"{}", None)],
    {"HandlerTime": [0.5, 1.25]},
)


def message_of(packed: bytes, size: int) -> Message:
    message = Message()
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    whole = [message.feed(chunk) for chunk in chunks]
    assert whole == [False] * (len(chunks) - 1) + [True]
    return message


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_packed_comes_out_however_it_arrives(size: int) -> None:
    assert unpack_calls(message_of(pack_calls(CALLS), size)) == CALLS
    assert unpack_answered(message_of(pack_answered(ANSWERED), size)) == ANSWERED


def test_a_message_may_have_a_head_only() -> None:
    assert message_of(pack({"ready": True}), 3).head == {"ready": True}
