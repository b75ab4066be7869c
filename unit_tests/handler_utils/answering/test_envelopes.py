"""Requests that an envelope makes several rows of are bounded as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from ts.handler_utils.answering import envelopes, leaving
from ts.handler_utils.answering.results import sendable
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.micro_batching import MicroBatching
from ts.runner.answering.context import Context, RequestProcessor
from ts.runner.answering.metrics import Metrics
from ts.torch_handler.base_handler import BaseHandler


class Echo(BaseHandler):
    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = self.settings_class(**settings)
        self.initialized = True
        self.batches: list[int] = []

    def preprocess(self, data: Any) -> Any:
        self.batches.append(len(data))
        return [row["data"] for row in data]

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return data

    def postprocess(self, data: Any) -> Any:
        return data


def context_of(requests: int) -> Context:
    context = Context("m", ".", {"model": {"modelName": "m"}}, requests, None, "0.12.0", metrics=Metrics())
    context.request_ids = {index: f"request-{index}" for index in range(requests)}
    context.request_processor = [RequestProcessor({}) for _ in range(requests)]
    return context


def rows(*values: Any) -> list[dict[str, Any]]:
    return [{"data": value} for value in values]


def test_more_rows_than_a_request_may_have_are_refused_before_any_is_looked_at() -> None:
    handler = Echo()
    with pytest.raises(InvalidInput) as refused:
        handler.handle(rows(*range(65)), context_of(1))
    assert refused.value.error_code == 413
    assert "65, and max_rows is 64" in refused.value.message
    assert handler.batches == []


@pytest.mark.parametrize(("count", "requests", "most"), [(64, 1, 64), (6, 2, 3), (5, 5, 1), (1, 1, 1)])
def test_as_many_as_a_request_may_have_are_answered(count: int, requests: int, most: int) -> None:
    assert Echo(max_rows=most).handle(rows(*range(count)), context_of(requests)) == list(range(count))


def test_the_setting_lifts_the_limit_and_parts_do_not() -> None:
    assert len(Echo(max_rows=100).handle(rows(*range(65)), context_of(1))) == 65
    with pytest.raises(InvalidInput, match="max_rows is 64"):
        MicroBatching(Echo(), 16)(rows(*range(65)), context_of(1))


def test_a_batch_of_many_requests_is_no_request_of_many_rows() -> None:
    assert len(Echo().handle(rows(*range(200)), context_of(200))) == 200


def test_rows_of_one_request_share_the_size_of_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "is_enveloped", lambda: True)
    handler, values = Echo(max_answer_bytes=1000), ["a" * 400, "b" * 500, "c" * 400, "d" * 90]
    answers = handler.handle(rows(*values), context_of(1))
    assert answers[:2] == values[:2]
    assert [answer["code"] for answer in answers[2:]] == [413, 413]
    assert (
        "1300 bytes or more, and max_answer_bytes is 1000: send fewer rows, or raise" in answers[2]["message"]
    )
    assert handler.handle(rows("a" * 1000), context_of(1)) == ["a" * 1000]  # the next batch begins anew


def test_parts_of_a_batch_share_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "is_enveloped", lambda: True)
    answers = MicroBatching(Echo(max_answer_bytes=1000), 1)(rows(*["a" * 300] * 8), context_of(1))
    assert sum(answer == "a" * 300 for answer in answers) == 3


def test_rows_after_one_that_has_no_room_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def count(result: Any, most_bytes: int) -> Any:
        written.append(result)
        return sendable(result, most_bytes)

    monkeypatch.setattr(envelopes, "is_enveloped", lambda: True)
    monkeypatch.setattr(leaving, "sendable", count)
    Echo(max_answer_bytes=1000).handle(rows(*["a" * 400] * 50), context_of(1))
    assert len(written) == 3
