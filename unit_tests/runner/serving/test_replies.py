"""What clients get."""

from __future__ import annotations

import pytest

from ts.runner.answering.answer import Answer
from ts.runner.serving.replies import (
    Refused,
    Reply,
    header_text,
    model_not_found,
    no_response,
    no_worker,
    path_not_found,
    queue_full,
    reply_of,
    too_large,
    version_not_found,
    worker_died,
)


def test_an_answer_is_sent_as_it_is() -> None:
    answer = Answer(404, b"no", "Nope", "text/plain", {"X-Own": "1"})
    assert reply_of(answer) == Reply(404, b"no", "text/plain", {"X-Own": "1"})


def test_what_was_sent_before_comes_first_with_its_status() -> None:
    before = Answer(200, b"one", content_type="text/plain", headers={"ts_stream_next": "true"})
    answer = Answer(500, b"two", content_type="image/png", intermediate=(before,))
    assert reply_of(answer) == Reply(200, b"onetwo", "text/plain", {"ts_stream_next": "true"})


@pytest.mark.parametrize("status", [0, 100, 199, 600, -1])
def test_a_status_that_http_does_not_end_with_is_the_handlers_fault(status: int) -> None:
    reply = reply_of(Answer(status, b"x"))
    assert (reply.status, reply.content_type) == (503, "application/json")
    assert b'"message": "Prediction failed"' in reply.body


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(status: int) -> None:
    assert reply_of(Answer(status, b"x")) == Reply(status, b"")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain; a=b", "plain; a=b"),
        ("a\r\nSet-Cookie: b", "a  Set-Cookie: b"),
        ("h\u00e9", "h\u00e9"),
        ("\u4e2d\ud800", "??"),
        (7, "7"),
    ],
)
def test_a_header_holds_what_it_can(value: object, text: str) -> None:
    assert header_text(value) == text
    reply = reply_of(Answer(200, b"", content_type=str(value), headers={"x": value}))  # type: ignore[dict-item]
    assert (reply.content_type, reply.headers) == (text, {"x": text})


ERRORS = [
    (model_not_found("nope"), 404, "ModelNotFoundException", "Model not found: nope"),
    (
        version_not_found("echo", "9.9"),
        404,
        "ModelVersionNotFoundException",
        "Model version: 9.9 does not exist for model: echo",
    ),
    (
        path_not_found(),
        404,
        "ResourceNotFoundException",
        "Requested resource is not found, please refer to API document.",
    ),
    (
        too_large(10, 20),
        413,
        "RequestEntityTooLargeException",
        "The request is too large: 20 bytes, and --max-request-size is 10: send a smaller one",
    ),
    (
        no_worker("echo"),
        503,
        "ServiceUnavailableException",
        'Model \\"echo\\" has no worker to serve inference request.',
    ),
    (
        queue_full("echo", 1),
        503,
        "ServiceUnavailableException",
        'Model \\"echo\\" has no worker to serve inference request. 1 requests wait already, its jobQueueSize.',
    ),
    (worker_died(), 503, "InternalServerException", "Worker died."),
    (
        no_response(4),
        503,
        "InternalServerException",
        "Worker did not respond within 4 seconds, its responseTimeout.",
    ),
]


@pytest.mark.parametrize(("refused", "status", "kind", "message"), ERRORS)
def test_errors_have_torchserves_form(refused: Refused, status: int, kind: str, message: str) -> None:
    body = f'{{\n  "code": {status},\n  "type": "{kind}",\n  "message": "{message}"\n}}\n'
    assert (refused.reply.status, refused.reply.content_type) == (status, "application/json")
    assert refused.reply.body.decode() == body
    assert refused.reply.headers.get("retry-after") == ("1" if status == 503 else None)
