"""What of an answer is text."""

from __future__ import annotations

from typing import Optional

import pytest

from ts.runner.batch.row import Row


@pytest.mark.parametrize(
    ("content_type", "content", "text"),
    [
        (None, b'{"a": 1}', '{"a": 1}'),
        (None, "größer".encode(), "größer"),
        (None, b"\xff\xd8", None),
        ("application/json", b'{\n  "a": 1\n}', '{\n  "a": 1\n}'),
        ("text/plain; charset=utf-8", b"12", "12"),
        ("image/png", b"\x89PNG", None),
        ("application/octet-stream", b"1234", None),
    ],
)
def test_json_and_texts_are_text_as_they_were_sent(
    content_type: Optional[str], content: bytes, text: Optional[str]
) -> None:
    assert Row("a", 200, content_type, content).text == text
