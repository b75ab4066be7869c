"""Forms as a live torchserve 0.12 hands them to a worker."""

from __future__ import annotations

from typing import Optional

import pytest

from ts.runner.errors import InputError
from ts.runner.serving.forms import MOST_FIELDS, Part, attributes, form_parts

MULTIPART = "multipart/form-data; boundary=XbX"


def section(head: str, content: bytes) -> bytes:
    return b"--XbX\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def field(name: str, content: bytes, more: str = "") -> bytes:
    return section(f'Content-Disposition: form-data; name="{name}"{more}', content)


END = b"--XbX--\r\n"


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ("", ""),
        ("\r\nContent-Type: application/json", ""),  # a type is for files
        ('; filename="a"', "application/octet-stream"),
        ('; filename=""', "application/octet-stream"),
        ("; filename*=utf-8''a.jpg", "application/octet-stream"),
        ('; filename="a.jpg"\r\nContent-Type: image/jpeg', "image/jpeg"),
        ('; filename="a"\r\ncontent-type: application/json; charset=utf-8', "application/json"),
    ],
)
def test_a_field_has_a_type_if_it_is_a_file(more: str, kind: str) -> None:
    assert form_parts(field("data", b"x", more) + END, MULTIPART) == (Part("data", kind, b"x"),)


def test_a_field_has_any_bytes() -> None:
    content = bytes(range(256)) + b"\r\n--Xb\r\n\n--XbX\r\r"
    found = form_parts(field("data", content) + field("topk", b"3") + END, MULTIPART)
    assert found == (Part("data", "", content), Part("topk", "", b"3"))


def test_of_two_fields_by_one_name_the_last_counts() -> None:
    body = field("a", b"1") + field("b", b"2") + field("a", b"3") + END
    assert form_parts(body, MULTIPART) == (Part("a", "", b"3"), Part("b", "", b"2"))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b"", []),
        (b"nonsense", []),
        (END, []),
        (b"--XbX\r\nnonsense" + END, []),
        (section("Content-Disposition: form-data", b"1") + END, []),
        (section("X: y", b"1") + field("a", b"2") + END, ["a"]),
        (field("a", b"1") + field("b", b"cut off"), ["a"]),
        (field("a", b"1") + END + field("b", b"after the end") + END, ["a"]),
        (b"a preamble\r\n" + field("a", b"1") + END + b"an epilogue", ["a"]),
    ],
)
def test_of_a_broken_body_the_whole_fields_are_read(body: bytes, names: list[str]) -> None:
    parts = form_parts(body, MULTIPART)
    assert parts is not None
    assert [part.name for part in parts] == names


def test_fields_of_a_url_encoded_form_are_texts() -> None:
    found = form_parts(b"a=1&b=%20x+y&c=&%C3%A9=%FF", "application/x-www-form-urlencoded; charset=utf-8")
    assert found == (
        Part("a", "", b"1"),
        Part("b", "", b" x y"),
        Part("c", "", b""),
        Part("\u00e9", "", b"\xff"),
    )


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json", "multipart/form-data", "multipart/mixed; boundary=X"],
)
def test_other_types_are_no_forms(content_type: str) -> None:
    assert form_parts(b"--XbX\r\n", content_type) is None


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (MULTIPART, field("a", b"") * (MOST_FIELDS + 1) + END),
        ("application/x-www-form-urlencoded", b"a=1&" * MOST_FIELDS + b"a=1"),
    ],
)
def test_the_number_of_fields_has_a_limit(content_type: str, body: bytes) -> None:
    with pytest.raises(InputError, match="A form may have 1000 fields: send fewer"):
        form_parts(body, content_type)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ('form-data; name="a"', "a"),
        ("form-data; name=a", "a"),
        ('form-data;name="a b"; filename="c"', "a b"),
        (r'form-data; name="a\"b\\"', 'a"b\\'),
        ('form-data; NAME="A"', "A"),
        ("form-data; name=", ""),
        ("form-data", None),
    ],
)
def test_attributes_of_a_header(header: str, value: Optional[str]) -> None:
    assert attributes(header).get("name") == value
