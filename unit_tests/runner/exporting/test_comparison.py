"""When two archives' answers are the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from ts.runner import Answer
from ts.runner.exporting.comparison import Said, compare


def said(*answers: Any, outputs: Any = ()) -> Said:
    bodies = [answer if isinstance(answer, bytes) else json.dumps(answer).encode() for answer in answers]
    kinds = ["image/png" if isinstance(answer, bytes) else "application/json" for answer in answers]
    return Said([Answer(200, body, content_type=kind) for body, kind in zip(bodies, kinds)], list(outputs))


@pytest.mark.parametrize(
    ("old", "new", "largest"),
    [
        ({"cat": 0.5}, {"cat": 0.50005}, 5e-5),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]], 0),
        ([{"cup": [100.0, 200.0], "score": 0.5}], [{"cup": [100.001, 200.0], "score": 0.5}], 1e-5),
        ([1.0, [2.0, 3.0]], [1.0, [2.0, 3.0]], 0),
        (b"PNG", b"PNG", 0),
        ([], [], 0),
        (float("nan"), float("nan"), 0),
    ],
)
def test_numbers_within_a_ten_thousandth_are_the_same(old: Any, new: Any, largest: float) -> None:
    comparison = compare(said(old), said(new))
    assert comparison.problem is None
    assert comparison.largest == pytest.approx(largest, rel=1e-3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"cat": 0.5}, {"cat": 0.5002}),
        ({"cat": 0.5}, {"dog": 0.5}),
        ([1.0, 2.0], [1.0]),
        ([1.0], [float("nan")]),
        (float("inf"), 1.0),
        (b"PNG", b"GIF"),
        ("cat", "dog"),
        ([[1.0, 2.0]], [1.0, 2.0]),
    ],
)
def test_all_else_differs(old: Any, new: Any) -> None:
    assert compare(said(old), said(new)).problem is not None


def test_what_the_models_returned_is_compared_too() -> None:
    outputs = {"logits": torch.tensor([[1.0, 2.0]]), "pair": (torch.ones(1), [])}
    near = {"logits": torch.tensor([[1.0, 2.00001]]), "pair": (torch.ones(1), [])}
    far = {"logits": torch.tensor([[1.0, 2.1]]), "pair": (torch.ones(1), [])}
    assert compare(said(outputs=[outputs]), said(outputs=[near])).problem is None
    assert compare(said(outputs=[outputs]), said(outputs=[far])).largest == pytest.approx(0.05, rel=1e-3)
    assert compare(said(outputs=[torch.ones(2)]), said(outputs=[torch.ones(3)])).problem is not None


def test_the_tolerance_may_be_another() -> None:
    old, new = said({"a": 0.5}), said({"a": 0.5005})
    assert compare(old, new).problem == "numbers differ by up to 0.0005"
    assert compare(old, new, 1e-3).problem is None


def test_a_batch_that_had_to_be_asked_in_parts_differs() -> None:
    whole, parts = [np.ones(4)], [np.ones(2), np.ones(2)]
    assert compare(said(1, outputs=whole), said(1, outputs=parts)).problem is not None
