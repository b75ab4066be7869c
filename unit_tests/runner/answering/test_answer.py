from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import torch

from ts.runner.answering.answer import Answer, batch_answers, exception_answers
from ts.runner.answering.context import RequestProcessor
from ts.utils.util import PredictionException


def answers(*results: Any) -> list[Answer]:
    return batch_answers(list(results), [RequestProcessor({}) for _ in results])


@pytest.mark.parametrize(
    ("result", "body", "response"),
    [
        ("h\u00e9llo", b"h\xc3\xa9llo", "h\u00e9llo"),
        ("", b"", ""),
        ('{"a": 1}', b'{"a": 1}', {"a": 1}),
        (b"\xff\x00", b"\xff\x00", b"\xff\x00"),
        (bytearray(b"ba"), b"ba", "ba"),
        ({"\u00e9": 1.5}, b'{\n  "\\u00e9": 1.5\n}', {"\u00e9": 1.5}),
        ((1, 2), b"[\n  1,\n  2\n]", [1, 2]),
        (7, b"7", 7),
        (None, b"null", None),
        (True, b"true", True),
    ],
)
def test_a_result_becomes_the_bytes_that_a_client_gets(result: Any, body: bytes, response: Any) -> None:
    (answer,) = answers(result)
    assert (answer.status, answer.phrase, answer.content_type, answer.body) == (200, "", None, body)
    assert answer.response == response


def test_a_tensor_is_sent_as_torch_saves_it() -> None:
    (answer,) = answers(torch.arange(3))
    assert torch.equal(torch.load(io.BytesIO(answer.body), weights_only=True), torch.arange(3))


def test_the_handler_decides_status_type_and_headers_of_its_row() -> None:
    processor = RequestProcessor({})
    processor.report_status(404, "Nope")
    processor.add_response_property("content-type", "image/png")
    processor.add_response_property("X-Model", "tiny")
    (answer,) = batch_answers([b"{}"], [processor])
    assert (answer.status, answer.phrase, answer.content_type) == (404, "Nope", "image/png")
    assert answer.headers == {"X-Model": "tiny"}
    assert answer.response == b"{}"  # of a type that is neither JSON nor text


@pytest.mark.parametrize(
    ("status", "phrase", "header"),
    [
        ("404", "", ("X-Model", "tiny")),
        (404.0, "", ("X-Model", "tiny")),
        (-1, "", ("X-Model", "tiny")),
        (404, 5, ("X-Model", "tiny")),
        (404, "n\u00f6", ("X-Model", "tiny")),
        (404, "a\r\nX-Other: 1", ("X-Model", "tiny")),
        (200, "", ("content-type", "text/pl\u00e4in")),
        (200, "", ("X-Model", 5)),
        (200, "", (5, "tiny")),
        (200, "", ("X-Model", "a\r\nX-Other: 1")),
    ],
)
def test_a_head_that_cannot_be_sent_ends_the_worker_and_its_batch(
    status: Any, phrase: Any, header: Any
) -> None:
    processor = RequestProcessor({})
    processor.report_status(status, phrase)
    processor.add_response_property(*header)
    for answer in batch_answers(["one", "two"], [RequestProcessor({}), processor]):
        assert_failure(answer, 500, "Worker died.")
        assert "the handler set" in str(answer.reason) or "integer" in str(answer.reason)


def test_no_status_is_200_and_a_header_may_hold_any_letters() -> None:
    processor = RequestProcessor({})
    processor.report_status(None, None)
    processor.add_response_property("X-Model", "t\u00efny")
    (answer,) = batch_answers(["one"], [processor])
    assert (answer.status, answer.phrase, answer.headers) == (200, "", {"X-Model": "t\u00efny"})


def test_text_is_not_parsed_as_json() -> None:
    assert Answer(200, b"7", content_type="text/plain; charset=utf-8").response == "7"


@pytest.mark.parametrize("result", [np.float32(1), np.arange(2), {1, 2}, {"a": np.int64(1)}])
def test_a_type_that_json_has_not_fails_the_batch(result: Any) -> None:
    for answer in answers("fine", result):
        assert_failure(answer, 503, "Unsupported model output data type.")


@pytest.mark.parametrize("results", [{"a": 1}, None, "text", ("a",), iter(["a"])])
def test_results_must_be_a_list(results: Any) -> None:
    (answer,) = batch_answers(results, [RequestProcessor({})])
    assert_failure(answer, 503, "Invalid model predict output")
    assert "must return a list of 1 results, one a row" in str(answer.reason)


@pytest.mark.parametrize("results", [[], [1, 2, 3]])
def test_results_must_be_one_a_row(results: list) -> None:
    for answer in batch_answers(results, [RequestProcessor({})] * 2):
        assert_failure(answer, 503, "number of batch response mismatched")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (PredictionException("bad input", 400), 400, "bad input"),
        (PredictionException("own"), 500, "own"),
        (ValueError("secret"), 503, "Prediction failed"),
        (MemoryError(), 507, "Out of resources"),
        (RuntimeError("CUDA error: out of memory"), 507, "Out of resources"),
        (SystemExit(3), 500, "Worker died."),
    ],
)
def test_an_exception_fails_the_batch(error: BaseException, code: int, message: str) -> None:
    for answer in exception_answers(error, 2):
        assert_failure(answer, code, message)
        assert answer.reason is error


def assert_failure(answer: Answer, code: int, message: str) -> None:
    assert (answer.status, answer.content_type, answer.ok) == (code, "application/json", False)
    expected = {"code": code, "type": "InternalServerException", "message": message}
    assert answer.body == json.dumps(expected, indent=2).encode() + b"\n"
    assert answer.response == expected
