"""What is said between the process that speaks HTTP and a worker."""

from __future__ import annotations

import pytest

from ts.runner.answering.metrics import Measurement
from ts.runner.serving.answerer import Answered
from ts.runner.serving.embedded.messages import (
    Message,
    Messages,
    pack,
    pack_answered,
    pack_calls,
    pack_part,
    unpack_answered,
    unpack_calls,
    unpack_part,
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
    [Measurement("HandlerTime", 0.5, "ms", None, {"Level": "Model"}, "gauge")],
)


def message_of(packed: bytes, size: int = 100_000) -> Message:
    messages = Messages()
    chunks = [packed[start : start + size] for start in range(0, len(packed), size)]
    (*before, whole) = [messages.feed(chunk) for chunk in chunks]
    assert not any(before)
    (message,) = whole
    return message


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_packed_comes_out_however_it_arrives(size: int) -> None:
    assert unpack_calls(message_of(pack_calls(CALLS), size)) == CALLS
    assert unpack_answered(message_of(pack_answered(ANSWERED), size)) == ANSWERED


def test_a_message_may_have_a_head_only() -> None:
    assert message_of(pack({"ready": True}), 3).head == {"ready": True}


def test_messages_may_arrive_together() -> None:
    messages = Messages()
    packed = pack_part(1, ANSWERED.replies[0]) + pack_answered(ANSWERED) + pack({"ready": True})
    part, answered = messages.feed(packed[:-1])
    assert unpack_part(part) == (1, ANSWERED.replies[0])
    assert unpack_part(answered) is None
    assert unpack_answered(answered) == ANSWERED
    assert [message.head for message in messages.feed(packed[-1:])] == [{"ready": True}]


def test_a_batch_says_whether_answers_are_wanted_in_parts() -> None:
    wanted = [message_of(pack_calls(CALLS, in_parts=each)).head["in_parts"] for each in (True, False)]
    assert wanted == [True, False]
