"""What leaves is valid, whatever hooks have made of it; else it is its own row's error."""

from __future__ import annotations

import json
import logging
from typing import Any, Callable

import pytest

from ts.handler_utils.errors import InvalidInput
from ts.runner.answering.context import Context, RequestProcessor
from ts.runner.answering.metrics import Metrics
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException

GOOD = "as it is"


class Does(BaseHandler):
    """Answers each row with what it is told to; a function is called with the context and the row's index."""

    stateless = True

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = self.settings_class(**settings)
        self.initialized = True

    def preprocess(self, data: Any) -> Any:
        return [row["data"] for row in data]

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return data

    def postprocess(self, data: Any) -> Any:
        return [value(self.context, index) if callable(value) else value for index, value in enumerate(data)]


def ask(handler: BaseHandler, context: Any, value: Any) -> Any:
    """The answer to a row between two good ones, which are answered."""
    before, answer, after = handler.handle([{"data": GOOD}, {"data": value}, {"data": GOOD}], context)
    assert (before, after) == (GOOD, GOOD)
    return answer


def raising(error: Exception) -> Callable:
    def hook(*_: Any) -> None:
        raise error

    return hook


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


class Unspeakable(RuntimeError):
    def __str__(self) -> str:
        raise OSError("says nothing")


class Items(dict):
    def items(self) -> Any:
        raise RuntimeError("has none")


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        {"score": float("inf")},
        "\ud800",
        {1, 2},
        object(),
        nested(100_000),
        Items(a=object()),
        raising(Unspeakable()),
        raising(RecursionError()),
    ],
)
def test_what_cannot_be_sent_is_its_own_rows_error(
    value: Any, make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    context = make_context()
    answer = ask(Does(), context, value)
    assert answer == {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}
    assert context.statuses == {1: 503}
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.levelname, "request-1" in record.getMessage()) == ("ERROR", True)
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("é" * 501, 1002),
        (b"a" * 1001, 1001),
        (bytearray(1001), 1001),
        (
            [1] * 200,
            1002,
        ),  # in TorchServe's JSON: a line of 5 characters for each, and three for the brackets
        ({"a": [[1, 2]] * 80}, None),
    ],
)
def test_an_answer_beyond_the_limit_is_a_413_that_names_it(
    value: Any, size: Any, make_context: Callable
) -> None:
    answer = ask(Does(max_answer_bytes=1000), make_context(), value)
    assert (answer["code"], answer["type"]) == (413, "RequestEntityTooLargeException")
    assert f"{size or ''} bytes or more, and max_answer_bytes is 1000" in answer["message"]
    assert "max_response_size in config.properties" in answer["message"]


def test_an_answer_at_the_limit_is_sent(make_context: Callable) -> None:
    assert ask(Does(max_answer_bytes=1000), make_context(), "a" * 1000) == "a" * 1000
    assert ask(Does(max_answer_bytes=1000), make_context(), [1] * 190) == [1] * 190


def test_an_error_is_no_longer_than_its_limit(
    make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = ask(Does(max_error_bytes=200), make_context(), raising(InvalidInput("é" * 100_000)))
    assert answer["message"].endswith("... (200000 bytes)")
    assert 180 < len(answer["message"].encode()) <= 200
    (record,) = caplog.records
    assert len(record.getMessage()) < 300


def test_an_error_of_a_client_is_one_line_of_the_log_whatever_it_says(
    make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = ask(Does(), make_context(), raising(InvalidInput("a\nb\x1b[31m\r\u2028\ud800")))
    assert answer["message"] == "a\nb\x1b[31m\r\u2028\\ud800"
    assert json.loads(json.dumps(answer)) == answer
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert record.getMessage() == "Request request-1: 400, a b [31m  \\ud800"


def test_an_error_that_a_hook_calls_the_servers_has_its_traceback_in_the_log(
    make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    answer = ask(Does(), make_context(), raising(PredictionException("the database is away", 502)))
    assert (answer["code"], answer["message"]) == (502, "the database is away")
    (record,) = caplog.records
    assert (record.levelname, record.exc_info is not None) == ("ERROR", True)


def served(rows: int = 3) -> Context:
    """A context as TorchServe's, whose answers have headers."""
    context = Context("m", ".", {"model": {"modelName": "m"}}, rows, None, "0.12.0", metrics=Metrics())
    context.request_ids = {index: f"request-{index}" for index in range(rows)}
    context.request_processor = [RequestProcessor({}) for _ in range(rows)]
    return context


@pytest.mark.parametrize("status", [-1, 0, 99, 100, 101, 1000, "404", 404.0])
def test_a_status_that_ends_no_request_is_its_own_rows_error(status: Any) -> None:
    context = served()
    answer = ask(Does(), context, lambda context, index: context.set_response_status(status, "x", index))
    assert answer["code"] == 503
    assert context.get_response_status(1) == (503, "InternalServerException")


@pytest.mark.parametrize("status", [200, 204, 299, 404, 418, 599, 799, 999])
def test_any_other_status_is_the_rows(status: int) -> None:
    context = served()

    def hook(context: Any, index: int) -> str:
        context.set_response_status(status, "as\nit is: né", index)
        return "said"

    assert ask(Does(), context, hook) == "said"
    assert context.get_response_status(1) == (status, "as it is: n?")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-number", 5),
        ("x-lines", "a\r\nSet-Cookie: b"),
        ("content-type", "text/pläin"),
        ("content-type", "text/plain\n"),
        ("two words", "a"),
        ("", "a"),
        ("x-long", "a" * 70_000),
    ],
)
def test_a_header_that_would_end_the_worker_is_its_own_rows_error(name: str, value: Any) -> None:
    context = served()

    def hook(context: Any, index: int) -> str:
        context.set_response_header(index, name, value)
        return "said"

    assert ask(Does(), context, hook)["code"] == 503
    assert context.get_response_headers(1) == {"content-type": "application/json"}


def test_other_headers_are_sent() -> None:
    context = served()

    def hook(context: Any, index: int) -> str:
        context.set_response_header(index, "x-words", "grüße, 2 of 3")
        return "said"

    assert ask(Does(), context, hook) == "said"
    assert context.get_response_headers(1) == {"x-words": "grüße, 2 of 3"}
