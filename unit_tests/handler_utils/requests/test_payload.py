"""The forms in which clients send one payload, and what is said of those that are not."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.payload import decode_text_payload, encoded_bytes, payload_of

BYTES = bytes(range(240, 256)) * 4 + b"?>"  # whose base64 has both letters that differ between the alphabets
TEXT = base64.b64encode(BYTES).decode()
LINES = "\n".join(TEXT[start : start + 20] for start in range(0, len(TEXT), 20))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.rstrip("="),
        base64.urlsafe_b64encode(BYTES).decode(),
        base64.urlsafe_b64encode(BYTES).decode().rstrip("="),
        LINES,
        f"  {LINES}\r\n",
        f"data:image/png;base64,{TEXT}",
        f"DATA:;BASE64,{TEXT}",
        f"data:image/png;charset=utf-8;base64,{LINES}",
        f"data:image/png;base64,{TEXT.replace('/', '%2F').replace('+', '%2B').replace('=', '%3D')}",
        "data:," + "".join(f"%{byte:02x}" for byte in BYTES),
    ],
)
def test_base64_in_its_everyday_forms_is_read(text: str) -> None:
    assert decode_text_payload(text) == BYTES
    assert encoded_bytes(text) == BYTES
    if not text.startswith("data:,"):
        assert encoded_bytes(text.encode()) == BYTES


@pytest.mark.parametrize("text", ["no base64!", "a", "\u00e4", f"{TEXT[:8]}*{TEXT[8:]}"])
def test_what_is_no_base64_is_a_400(text: str) -> None:
    with pytest.raises(InvalidInput, match="neither base64 nor a data: URI"):
        decode_text_payload(text)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + BYTES, b"P6\n2 2\n255\n" + BYTES, b"GIF89a" + BYTES, b""]
)
def test_bytes_of_a_file_are_left_as_they_are(data: bytes) -> None:
    assert encoded_bytes(data) is data


def test_what_is_no_file_is_no_bytes() -> None:
    assert encoded_bytes([[1.0]]) is None


@pytest.mark.parametrize(
    ("row", "payload"),
    [
        ({"data": "a"}, "a"),
        ({"body": b"a"}, b"a"),
        ({"data": None, "body": [1]}, [1]),
        ({"body": {"data": "a"}}, "a"),
        ({"data": {"b64": "QQ=="}}, "QQ=="),
        ({"body": {"b64": "QQ=="}}, "QQ=="),
        ([1.0], [1.0]),
        ({"data": 0}, 0),
    ],
)
def test_a_payload_is_found_under_data_or_body(row: Any, payload: Any) -> None:
    assert payload_of(row) == payload


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, '^The request has neither "data" nor "body" : 400$'),
        ({"data": None}, 'neither "data" nor "body"'),
        ({"body": {"instances": [{"data": "a"}]}}, r"service_envelope \(json, kserve\)"),
        ({"body": {"inputs": [{"data": [1]}]}}, "service_envelope kservev2"),
        ({"data": b"a", "body": b"b"}, '"data" and "body"'),
        ({"body": {"data": "a", "body": "b"}}, '"data" and "body"'),
    ],
)
def test_what_holds_no_one_payload_is_a_400_that_says_why(row: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        payload_of(row)
