"""Texts are read out of what clients send, or refused with what is wrong and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.strangers.texts import EMPTY, NOT_TEXTS, NOT_UTF_8, SURROGATES, hostile_text
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.text.batch import read_text


def refusal(payload: Any, max_bytes: int | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        read_text(payload, max_bytes)
    return refused.value


@pytest.mark.parametrize("kind", [str, str.encode, lambda text: bytearray(text.encode())])
def test_a_text_of_as_many_bytes_as_may_be_is_read(kind: Any) -> None:
    assert read_text(kind("caf\u00e9"), 5) == "caf\u00e9"
    assert read_text(kind("caf\u00e9" * 100_000)) == "caf\u00e9" * 100_000


@pytest.mark.parametrize("kind", [str, str.encode, lambda text: memoryview(text.encode())])
def test_a_longer_one_is_a_413_that_says_what_to_do(kind: Any) -> None:
    error = refusal(kind("caf\u00e9"), 4)
    assert error.error_code == 413
    assert error.message == (
        "The text is too large: 5 bytes, and max_text_bytes is 4: send a shorter one, or raise"
        " handler.max_text_bytes in model-config.yaml"
    )


@pytest.mark.parametrize("payload", [b"\xff" * 100, "\ud800" * 100, b" " * 100])
def test_the_size_is_looked_at_before_the_text(payload: Any) -> None:
    assert refusal(payload, 99).error_code == 413


@pytest.mark.parametrize("name", NOT_UTF_8)
def test_bytes_that_are_no_utf_8_are_refused(name: str) -> None:
    error = refusal(NOT_UTF_8[name])
    assert (error.error_code, error.message[:23]) == (400, "The text is not UTF-8: ")
    assert len(error.message) < 150


@pytest.mark.parametrize("name", SURROGATES)
def test_half_of_a_surrogate_pair_which_json_may_hold_is_refused(name: str) -> None:
    error = refusal(hostile_text(name, 10_000))
    assert (error.error_code, error.message[:25]) == (400, "The text is not Unicode: ")
    assert len(error.message) < 150


@pytest.mark.parametrize("name", NOT_TEXTS)
def test_a_value_that_is_no_text_is_refused_by_its_type(name: str) -> None:
    value = NOT_TEXTS[name]
    error = refusal(value)
    assert error.error_code == 400
    assert error.message == f"A request holds one text, not a value of type {type(value).__name__}"


@pytest.mark.parametrize("name", sorted({*EMPTY} - {"a mark of byte order"}))
def test_a_blank_text_is_refused(name: str) -> None:
    assert refusal(EMPTY[name]).message == "The text is empty"
