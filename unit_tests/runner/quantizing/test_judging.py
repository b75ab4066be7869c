"""How alike answers are, by their kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ts.runner.answering.answer import Answer
from ts.runner.errors import ArchiveError, InputError
from ts.runner.quantizing.judging import COSINE, PIXELS, TOP_CLASS, check_answered, judge


def answers(*values: Any) -> list[Answer]:
    return [Answer(200, json.dumps(value).encode(), content_type="application/json") for value in values]


def test_of_classes_the_top_ones_are_compared() -> None:
    old = answers(*[{"a": 0.6, "b": 0.4}] * 50)
    new = answers(*[{"a": 0.5, "b": 0.5}] * 40, *[{"b": 0.7, "a": 0.3}] * 10)
    found = judge(old, new)
    assert (found.of, found.inputs, found.refused, found.smallest) == (TOP_CLASS, 50, 0, 0.0)
    assert found.agreement == pytest.approx(0.8)
    assert found.largest_change == pytest.approx(0.3)
    assert found.mean_change == pytest.approx(0.8 * 0.1 + 0.2 * 0.3)


def test_of_a_mask_the_pixels_are() -> None:
    old = answers(*[[[[1, 0.9], [0, 0.8]], [[2, 0.5], [2, 0.5]]]] * 50)
    new = answers(*[[[[1, 0.8], [0, 0.8]], [[1, 0.9], [2, 0.5]]]] * 50)
    found = judge(old, new)
    assert (found.of, found.agreement, found.smallest) == (PIXELS, 0.75, 0.75)
    assert found.largest_change == pytest.approx(0.1)


def test_of_vectors_the_cosine_is() -> None:
    found = judge(answers(*[[3.0, 4.0]] * 50), answers(*[[4.0, 3.0]] * 50))
    assert (found.of, found.agreement) == (COSINE, pytest.approx(0.96))
    assert found.largest_change == 1.0


@pytest.mark.parametrize(
    "answer", [{"a": 1.0}, "a text", [{"cup": [1, 2, 3, 4], "score": 0.5}], [1.0], {"a": {"b": 1}}]
)
def test_what_has_no_agreement_is_refused(answer: Any) -> None:
    with pytest.raises(ArchiveError, match="how far answers agree is told of scores of two classes or more"):
        judge(answers(*[answer] * 50), answers(*[answer] * 50))


def test_inputs_that_the_archive_refuses_count_for_nothing() -> None:
    refused = Answer(400, b'{"message": "no image"}', content_type="application/json")
    good = answers(*[{"a": 0.6, "b": 0.4}] * 50)
    assert judge([*good, refused], [*good, refused]).refused == 1
    with pytest.raises(
        InputError, match=r"answers only 49 of 50 inputs, and 50 are wanted to judge by; .*no image"
    ):
        check_answered([*good[:49], refused])
