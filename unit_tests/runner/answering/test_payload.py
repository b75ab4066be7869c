from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ts.runner.answering.payload import description, prediction
from ts.runner.errors import InputError


@pytest.mark.parametrize(
    ("value", "row"),
    [
        (b"\xff\xd8", {"body": bytearray(b"\xff\xd8")}),
        ("h\u00e9llo", {"body": "h\u00e9llo"}),
        ({"a": [1, None]}, {"body": {"a": [1, None]}}),
        ([1, 2.5], {"body": [1, 2.5]}),
    ],
)
def test_a_body_is_the_row(value: object, row: dict) -> None:
    found = prediction(value).row  # type: ignore[arg-type]
    assert found == row
    assert type(found["body"]) is type(row["body"])


def test_options_make_it_a_form(tmp_path: Path) -> None:
    row = prediction(b"x", {"topk": 3, "format": "png", "boxes": [1], "raw": b"\x00", "on": True}).row
    assert row == {
        "data": bytearray(b"x"),
        "topk": bytearray(b"3"),
        "format": bytearray(b"png"),
        "boxes": bytearray(b"[1]"),
        "raw": bytearray(b"\x00"),
        "on": bytearray(b"true"),
    }


def test_a_json_file_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "request.JSON"
    path.write_text('{"data": "abc"}')
    assert prediction(path).row == {"body": {"data": "abc"}}


def test_a_json_file_that_is_not_json_is_left_to_the_handler(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text("{bad")
    assert prediction(path).row == {"body": bytearray(b"{bad")}


def test_json_that_is_nested_too_deep_is_left_to_the_handler() -> None:
    body = b"[" * 100_000
    assert prediction(body, headers={"Content-Type": "application/json"}).row == {"body": bytearray(body)}


def test_another_file_is_raw(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("hi")
    assert prediction(path).row == {"body": bytearray(b"hi")}


def test_the_headers_name_the_content_types() -> None:
    assert prediction({"a": 1}).headers == {
        "body": {"content-type": "application/json"},
        "Content-Type": "application/json",
        "explain": "False",
        "url_path": "",
    }
    assert prediction(b"a").headers["body"] == {"content-type": ""}
    assert prediction(b"a", {"topk": 1}).headers["data"] == {"content-type": "application/octet-stream"}
    assert prediction("a", {"topk": 1}).headers == {
        "data": {"content-type": "text/plain"},
        "topk": {"content-type": ""},
        "explain": "False",
        "url_path": "",
    }


def test_an_explanation_is_asked_for_by_a_header() -> None:
    assert prediction(b"x", explain=True).headers["explain"] == "True"


def test_a_description_is_asked_for_by_a_header_and_has_no_data() -> None:
    assert (description().row, description().headers) == ({}, {"describe": "True"})


@pytest.mark.parametrize("value", [3, None, object()])
def test_another_type_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="may be bytes, str, Path, dict or list"):
        prediction(value)  # type: ignore[arg-type]


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be written as JSON"):
        prediction({"a": object()})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.jpg cannot be read: No such file"):
        prediction(tmp_path / "nowhere.jpg")


def test_further_headers_are_the_requests(tmp_path: Path) -> None:
    request = prediction(b"x", headers={"ts_request_sequence_id": "s1", "explain": "True"})
    assert request.headers == {
        "body": {"content-type": ""},
        "ts_request_sequence_id": "s1",
        "explain": "False",  # which the path says
        "url_path": "",
    }


@pytest.mark.parametrize(
    ("kind", "plain", "body"),
    [
        ("application/json", "application/json", [1]),
        ("application/json; charset=utf-8", "application/json", [1]),
        ("text/csv", "text/csv", "[1]"),
        ("image/png", "image/png", bytearray(b"[1]")),
    ],
)
@pytest.mark.parametrize("header", ["Content-Type", "content-type"])
def test_a_content_type_among_them_is_the_inputs(header: str, kind: str, plain: str, body: Any) -> None:
    request = prediction(b"[1]", headers={header: kind})
    assert request.row == {"body": body}
    assert (request.headers["body"], request.headers[header]) == ({"content-type": plain}, kind)
    form = prediction(b"[1]", {"topk": 1}, headers={header: kind})
    assert form.row == {"data": body, "topk": bytearray(b"1")}
    assert form.headers["data"] == {"content-type": plain}
    assert header not in form.headers
