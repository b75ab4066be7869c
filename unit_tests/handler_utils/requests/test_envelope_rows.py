"""Rows that a request envelope has made: what a hook reads and sets is never another request's."""

from __future__ import annotations

from ts.handler_utils.requests.envelope_rows import context_of_rows
from ts.handler_utils.requests.rows import RowsContext
from ts.runner import Context
from ts.runner.answering.context import RequestProcessor


def context_of(*headers: dict[str, str]) -> Context:
    context = Context("model", "", {}, len(headers), None, "0.12.0")
    context.request_processor = [RequestProcessor(dict(each)) for each in headers]
    context.request_ids = {index: f"request-{index}" for index in range(len(headers))}
    return context


def test_one_row_a_request_is_the_servers_own_context() -> None:
    context = context_of({}, {})
    assert context_of_rows(context, 2) is context


def test_all_rows_of_one_request_are_that_requests() -> None:
    context = context_of({"ts-topk": "3"})
    rows = context_of_rows(context, 2)
    assert [rows.get_request_header(row, "ts-topk") for row in (0, 1)] == ["3", "3"]
    assert [rows.get_request_id(row) for row in (0, 1)] == ["request-0", "request-0"]
    rows.set_response_status(400, "Bad", 1)
    assert context.get_response_status(0) == (400, "Bad")


def test_rows_of_several_requests_have_only_the_headers_that_all_agree_on() -> None:
    context = context_of({"explain": "True", "ts-topk": "3"}, {"explain": "True", "ts-topk": "2"})
    rows = context_of_rows(context, 3)
    assert rows.get_request_header(2, "explain") == "True"
    assert rows.get_request_header(2, "ts-topk") is None
    assert rows.get_all_request_header(2) == {"explain": "True"}
    assert rows.get_request_id(2) is None


def test_nothing_is_set_for_a_request_that_a_row_may_not_belong_to() -> None:
    context = context_of({}, {})
    part = RowsContext(context_of_rows(context, 3), [1, 2])
    part.set_response_status(400, "Bad", 1)
    part.set_response_content_type(1, "image/png")
    part.set_response_header(1, "X-Model", "m")
    assert [context.get_response_status(index) for index in (0, 1)] == [(200, None), (200, None)]
    assert [context.get_response_headers(index) for index in (0, 1)] == [{}, {}]
    assert len(part.request_ids) == 2
    assert context_of_rows(part, 2) is part
