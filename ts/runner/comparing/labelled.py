"""How answers of classifiers and of detectors differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ts.runner.comparing.difference import Difference
from ts.runner.render import box_of

Probabilities = Mapping[str, float]
Detections = Sequence[Mapping[str, Any]]


def compare_probabilities(old: Probabilities, new: Probabilities, found: Difference) -> None:
    """Compares {label: probability}, best first.

    A label that only one side has was cut off on the other: it differs by as much as it is above the smallest
    number there, which is nothing where two labels are about equal.
    """
    if len(old) != len(new):
        found.note(f"{len(old)} classes → {len(new)}")
    gone, come = [label for label in old if label not in new], [label for label in new if label not in old]
    for label in old.keys() & new.keys():
        found.numbers(np.asarray(old[label], float), np.asarray(new[label], float))
    if len(old) == len(new):
        for mine, others, labels in ((old, new, gone), (new, old, come)):
            for label in labels:
                found.number(max(0.0, mine[label] - min(others.values())))
                found.is_equal = False
    if not found.how:
        return
    first, now = next(iter(old)), next(iter(new))
    if first != now:
        found.note(f"first class: {first} → {now}")
    if gone or come:
        found.note(f"labels: {named(gone)} → {named(come)}")


def compare_detections(old: Detections, new: Detections, found: Difference) -> None:
    """Compares [{label: [x1, y1, x2, y2], "score": probability}, ...]; the order among equals does not matter."""
    if len(old) != len(new):
        found.note(f"{len(old)} detections → {len(new)}")
        return
    if labels_of(old) != labels_of(new):
        old, new = sorted(old, key=by_label), sorted(new, key=by_label)
    there, here = labels_of(old), labels_of(new)
    if there != here:
        gone, come = ([a for a, b in zip(there, here) if a != b], [b for a, b in zip(there, here) if a != b])
        found.note(f"labels: {named(gone)} → {named(come)}")
        return
    found.numbers(numbers_of(old), numbers_of(new))


def labels_of(detections: Detections) -> list[str]:
    return [label_of(item) for item in detections]


def label_of(item: Mapping[str, Any]) -> str:
    box = box_of(item)
    return box[0] if box else ""


def by_label(item: Mapping[str, Any]) -> tuple[str, float]:
    return label_of(item), -item["score"]


def numbers_of(detections: Detections) -> np.ndarray:
    return np.array([[*(box_of(item) or ("", []))[1], item["score"]] for item in detections], float)


def named(labels: Sequence[str], most: int = 3) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return (", ".join(labels[:most]) or "none") + more
