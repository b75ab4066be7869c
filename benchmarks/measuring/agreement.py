"""Whether two contenders give the same answers, and by how much they differ."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Callable, Optional

import numpy as np
from PIL import Image

NUMBERS = 1e-4  # the largest difference of numbers that count as the same
PIXELS = 1.0  # the same of an image before the model, in steps of 1/255
SIDES = 1e-2  # pixels: what rounding moves a box of some hundred pixels by stays far below
SHARE = 1e-4  # of a mask's pixels may lie so near a border that rounding gives them another class
DEVIATIONS = np.array([0.229, 0.224, 0.225]).reshape(3, 1, 1)  # by which the default handlers divide


@dataclass(frozen=True)
class Agreement:
    text: str
    agrees: bool


def pixels(expected: Any, found: Any) -> Agreement:
    """Of normalised batches [N, 3, H, W]."""
    if expected.shape != found.shape:
        return Agreement(f"shape {found.shape}, not {expected.shape}", False)
    steps = np.abs(expected - found) * DEVIATIONS * 255
    return Agreement(
        f"{steps.max():.2f}/255 a pixel, mean {steps.mean():.3f}", bool(steps.max() <= PIXELS + 1e-3)
    )


def labels(expected: list[dict[str, float]], found: list[dict[str, float]]) -> Agreement:
    """Of a dictionary a row: the same labels in the same order."""
    equal = sum(list(its) == list(answer) for its, answer in zip(expected, found))
    first = sum(next(iter(its)) == next(iter(answer)) for its, answer in zip(expected, found))
    shared = [
        abs(value - answer[name])
        for its, answer in zip(expected, found)
        for name, value in its.items()
        if name in answer
    ]
    largest = max(shared, default=float("nan"))
    if equal == len(expected) == len(found):
        return Agreement(f"labels equal, numbers {largest:.1e}", largest <= NUMBERS)
    text = f"{equal} of {len(expected)} rows with equal labels, {first} with the same first, numbers {largest:.1e}"
    return Agreement(text, False)


def probabilities(expected: list[dict[str, float]], found: list[dict[str, float]]) -> Agreement:
    """Of a dictionary of all classes a row, best first."""
    first = sum(next(iter(its)) == next(iter(answer)) for its, answer in zip(expected, found))
    largest = max(
        abs(value - answer[name]) for its, answer in zip(expected, found) for name, value in its.items()
    )
    text = f"{first} of {len(expected)} with the same first class, probabilities {largest:.1e}"
    return Agreement(text, first == len(expected) and largest <= NUMBERS)


def masks(expected: list[Any], found: list[Any]) -> Agreement:
    """Of class maps: JSON [H, W, 2] of class and probability, or PNGs of classes."""
    its, answers = [mask_of(answer) for answer in expected], [mask_of(answer) for answer in found]
    pairs = list(zip(its, answers))
    if any(left[..., 0].shape != right[..., 0].shape for left, right in pairs):
        return Agreement("masks of another size", False)
    other = sum(int((left[..., 0] != right[..., 0]).sum()) for left, right in pairs)
    total = sum(left[..., 0].size for left in its)
    text = f"{other} of {total} pixels of another class"
    few = other <= SHARE * total
    if any(right.shape[-1] == 1 for right in answers):
        return Agreement(text, few)
    largest = max(float(np.abs(left[..., 1] - right[..., 1]).max()) for left, right in pairs)
    return Agreement(f"{text}, probabilities {largest:.1e}", few and largest <= NUMBERS)


def mask_of(answer: bytes) -> np.ndarray:
    if answer.startswith(b"\x89PNG"):
        return np.asarray(Image.open(io.BytesIO(answer)))[..., None]
    return np.asarray(json.loads(answer))


def boxes(expected: list[Any], found: list[Any]) -> Agreement:
    """Of lists of `{label: [x1, y1, x2, y2], "score": score}`."""
    names = [[next(iter(item)) for item in row] for row in expected]
    its = [[next(iter(item)) for item in row] for row in found]
    count = sum(map(len, names))
    if names != its:
        rows = zip(expected, found)
        same = sum(any(is_same(item, other) for other in answer) for row, answer in rows for item in row)
        return Agreement(f"{same} of {count} detections the same, among {sum(map(len, its))}", False)
    pairs = [pair for row, answer in zip(expected, found) for pair in zip(row, answer)]
    scores = max((abs(left["score"] - right["score"]) for left, right in pairs), default=0.0)
    sides = max((side_of(*pair) for pair in pairs), default=0.0)
    text = f"the same {count} detections, scores {scores:.1e}, sides {sides:.1e} pixels"
    return Agreement(text, scores <= NUMBERS and sides <= SIDES)


def is_same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    """Whether two detections differ by rounding only."""
    near = abs(left["score"] - right["score"]) <= NUMBERS
    return next(iter(left)) == next(iter(right)) and near and side_of(left, right) <= SIDES


def side_of(left: dict[str, Any], right: dict[str, Any]) -> float:
    """How far the sides of two boxes are apart at most, in pixels."""
    box, other = next(iter(left.values())), next(iter(right.values()))
    return max(abs(value - its) for value, its in zip(box, other))


COMPARISONS: dict[str, Callable[[Any, Any], Agreement]] = {
    "pixels": pixels,
    "labels": labels,
    "probabilities": probabilities,
    "masks": masks,
    "boxes": boxes,
}


def compare(kind: Optional[str], expected: Any, found: Any) -> Optional[Agreement]:
    """Compares answers in one of the ways of `COMPARISONS`, or not at all."""
    return None if kind is None else COMPARISONS[kind](expected, found)
