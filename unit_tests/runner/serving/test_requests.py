"""A client's request as a handler gets it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ts.runner.serving.forms import Part
from ts.runner.serving.requests import Call, Headers, description_call, prediction_call

OCTETS = [(b"x-own", b"1"), (b"content-length", b"5")]


def row_of(call: Call) -> dict[str, Any]:
    return call.request().row


def test_a_raw_body_is_a_bytearray() -> None:
    call = prediction_call(OCTETS, b"hello")
    assert call.parts == (Part("body", "", b"hello"),)
    assert call.request().row == {"body": bytearray(b"hello")}
    assert isinstance(row_of(call)["body"], bytearray)
    assert call.request().headers == {
        "body": {"content-type": ""},
        "x-own": "1",
        "content-length": "5",
        "explain": "False",
        "url_path": "",
    }


@pytest.mark.parametrize(
    ("content_type", "body", "value"),
    [
        (b"application/json", b'{"a": [1]}', {"a": [1]}),
        (b"application/json; charset=utf-8", b"[1]", [1]),
        (b"application/json", b"{", bytearray(b"{")),
        (b"text/plain; charset=utf-8", "h\u00e9".encode(), "h\u00e9"),
        (b"text/plain", b"\xff", bytearray(b"\xff")),
        (b"image/jpeg", b"\xff", bytearray(b"\xff")),
        (b"multipart/form-data", b"no boundary", bytearray(b"no boundary")),
    ],
)
def test_a_body_is_what_its_type_says(content_type: bytes, body: bytes, value: Any) -> None:
    assert row_of(prediction_call([(b"content-type", content_type)], body)) == {"body": value}


def test_a_form_is_a_field_each() -> None:
    call = prediction_call([(b"content-type", b"application/x-www-form-urlencoded")], b"data=x&topk=3")
    assert row_of(call) == {"data": bytearray(b"x"), "topk": bytearray(b"3")}
    assert call.request().headers["data"] == {"content-type": ""}


def test_a_handler_is_told_what_is_asked_of_it() -> None:
    call = prediction_call([(b"explain", b"a client's")], b"", explain=True, url_path="a/b")
    assert call.headers == {"explain": "True", "url_path": "a/b", "content-length": "0"}
    assert description_call([(b"host", b"x")]).request().headers == {"host": "x", "describe": "True"}
    assert row_of(description_call()) == {}


def test_each_request_has_an_id_of_its_own() -> None:
    assert prediction_call([], b"").id != prediction_call([], b"").id


def test_headers_are_found_in_any_case() -> None:
    headers = prediction_call([(b"x-own", b"1")], b"").request().headers
    assert headers["X-Own"] == headers.get("X-OWN") == headers.get("x-own") == "1"
    assert "X-Own" in headers
    assert "X-Other" not in headers
    assert headers.get("X-Other", "none") == "none"
    assert headers.get("x-other") is None
    with pytest.raises(KeyError, match="X-Other"):
        headers["X-Other"]
    assert copy.copy(headers)["X-Own"] == "1"


def test_a_fields_own_name_comes_first() -> None:
    headers = Headers({"Data": {"content-type": ""}, "data": "a header"})
    assert headers["Data"] == {"content-type": ""}
    assert headers["DATA"] == "a header"


def test_the_rest_of_an_answer_is_asked_for_with_the_same_headers() -> None:
    again = prediction_call([(b"x-own", b"1")], b"x").request().again()
    assert again.row == {}
    assert "body" not in again.headers
    assert again.headers["X-Own"] == "1"
