"""How alike answers are, by their kinds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from ts.runner.errors import ArchiveError
from ts.runner.quantizing.asking import NOTHING, kind_of, said_by
from ts.runner.quantizing.judging import (
    COSINE,
    LABELS,
    PIXELS,
    SAME,
    TOP_CLASS,
    VALUES,
    Judge,
    Judgement,
    Said,
)


def judged(of: str, old: list[list[float]], new: list[list[float]], threshold: Any = None) -> Judgement:
    """A judgement of numbers, a row an input."""
    judge = Judge(threshold)
    for before, after in zip(old, new):
        judge.add(Said(of, NOTHING, np.array(before)), Said(of, NOTHING, np.array(after)))
    return judge.judgement(refused=3)


def judged_answers(pairs: list[tuple[Any, Any]]) -> Judgement:
    judge = Judge()
    for old, new in pairs:
        judge.add(said_by(old), said_by(new))
    return judge.judgement(refused=0)


def test_of_classes_the_top_ones_are_compared() -> None:
    found = judged(TOP_CLASS, [[0.6, 0.4]] * 5, [[0.5, 0.5]] * 4 + [[0.3, 0.7]])
    assert (found.of, found.inputs, found.refused, found.smallest) == (TOP_CLASS, 5, 3, 0.0)
    assert found.agreement == pytest.approx(0.8)
    assert found.largest_change == pytest.approx(0.3)
    assert found.mean_change == pytest.approx(0.8 * 0.1 + 0.2 * 0.3)


def test_of_a_few_classes_that_a_handler_names_the_top_labels_are() -> None:
    found = judged_answers(
        [({"a": 0.6, "b": 0.3}, {"a": 0.5, "c": 0.4}), ({"a": 0.6, "b": 0.3}, {"b": 0.5, "a": 0.4})]
    )
    assert (found.of, found.agreement) == (TOP_CLASS, 0.5)
    assert found.largest_change == pytest.approx(0.2)  # of labels in both


@pytest.mark.parametrize(("threshold", "agreement"), [(None, 0.5), (0.35, 2 / 3), (0.95, 1.0)])
def test_of_several_labels_those_above_the_threshold_are(threshold: Any, agreement: float) -> None:
    assert judged(LABELS, [[0.9, 0.8, 0.1]], [[0.9, 0.4, 0.39]], threshold).agreement == pytest.approx(
        agreement
    )


def test_of_values_the_share_of_their_spread_that_is_kept_is() -> None:
    found = judged(VALUES, [[1.0, 7], [2, 7], [3, 7]], [[1.0, 7], [2, 7], [2, 7]])
    assert found.agreement == pytest.approx(
        (0.5 + 1) / 2
    )  # 1 - 1 / (1 + 0 + 1); and what never varies stayed
    assert (found.smallest, found.inputs, found.largest_change) == (pytest.approx(0.5), 3, 1.0)
    assert judged(VALUES, [[1.0], [2]], [[9.0], [9]]).agreement == 0


def test_of_a_mask_the_pixels_are() -> None:
    old = [[[1, 0.9], [0, 0.8]], [[2, 0.5], [2, 0.5]]]
    found = judged_answers([(old, [[[1, 0.8], [0, 0.8]], [[1, 0.9], [2, 0.5]]])])
    assert (found.of, found.agreement, found.smallest) == (PIXELS, 0.75, 0.75)
    assert found.largest_change == pytest.approx(0.1)


def test_of_vectors_the_cosine_is_and_of_other_answers_whether_they_are_the_same() -> None:
    found = judged_answers([([3.0, 4.0], [4.0, 3.0])])
    assert (found.of, found.agreement, found.largest_change) == (COSINE, pytest.approx(0.96), 1.0)
    found = judged_answers([("a cat", "a cat"), ("a cat", "a dog")])
    assert (found.of, found.agreement, found.mean_change) == (SAME, 0.5, 0.0)


@pytest.mark.parametrize(
    "answer", [{"a": 1.0}, [{"cup": [1, 2, 3, 4], "score": 0.5}], [1.0], {"a": {"b": 1}}]
)
def test_what_has_no_agreement_is_refused(answer: Any) -> None:
    with pytest.raises(ArchiveError, match="how far answers agree is told of scores of classes, of values"):
        said_by(answer)


@pytest.mark.parametrize(
    ("values", "activation", "of"),
    [
        ([[0.9, 0.1], [0.4, 0.6]], None, TOP_CLASS),
        ([[0.9, 0.1], [0.4, 0.6]], "none", TOP_CLASS),  # probabilities already
        ([[0.9, 0.8], [0.4, 0.6]], "sigmoid", LABELS),
        ([[0.9], [0.4]], "sigmoid", LABELS),
        ([[0.9], [0.4]], "none", VALUES),
        ([[0.9, 0.1], [4, -6]], "none", VALUES),
    ],
)
def test_what_is_compared_follows_from_a_batch_of_values(values: Any, activation: Any, of: str) -> None:
    assert kind_of(torch.tensor(values), activation) == of
