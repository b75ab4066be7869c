"""How alike the answers of two networks are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ts.runner.answering.answer import Answer
from ts.runner.comparing.answers import is_class_map
from ts.runner.errors import ArchiveError, InputError
from ts.runner.numbers import array_of
from ts.runner.quantizing.data import FEWEST_HELD_OUT
from ts.runner.render import is_probabilities

TOP_CLASS, PIXELS, COSINE = "top class", "classes of pixels", "cosine of vectors"


@dataclass(frozen=True)
class Judgement:
    """What was found on inputs that a network was not calibrated with.

    Attributes:
        of: of which parts of answers the agreement is.
        inputs: how many were judged.
        refused: how many more the archive itself gives no answer to.
        agreement: the mean over the inputs, from 0 to 1: of classifiers the share with the same top class; of
            segmenters the share of pixels with the same class; of vectors their cosine.
        smallest: of one input.
        largest_change: of a score of a class, a probability of a pixel's class, or a number of a vector.
        mean_change: of all of these.
    """

    of: str
    inputs: int
    refused: int
    agreement: float
    smallest: float
    largest_change: float
    mean_change: float


def judge(before: Sequence[Answer], after: Sequence[Answer]) -> Judgement:
    """Compares answers to the same inputs.

    Raises:
        ArchiveError: they are of a kind whose agreement cannot be told.
    """
    pairs = [pair for pair in zip(before, after) if pair[0].ok]
    found = [_alike(old, new) for old, new in pairs]
    agreements = [one.agreement for one in found]
    changes = np.concatenate([one.changes.ravel() for one in found])
    return Judgement(
        of=found[0].of,
        inputs=len(pairs),
        refused=len(before) - len(pairs),
        agreement=float(np.mean(agreements)),
        smallest=float(min(agreements)),
        largest_change=float(changes.max(initial=0.0)),
        mean_change=float(changes.mean()) if changes.size else 0.0,
    )


def check_answered(answers: Sequence[Answer]) -> None:
    """Refuses inputs of which the archive itself answers too few.

    Raises:
        InputError: with what it says to another.
    """
    count = sum(answer.ok for answer in answers)
    if count < FEWEST_HELD_OUT:
        refused = next((answer.response for answer in answers if not answer.ok), "")
        raise InputError(
            f"the archive itself answers only {count} of {len(answers)} inputs, and {FEWEST_HELD_OUT} are wanted"
            f" to judge by; of another it says {str(refused)[:200]}"
        )


@dataclass(frozen=True)
class _Alike:
    of: str
    agreement: float
    changes: np.ndarray


def _alike(old: Answer, new: Answer) -> _Alike:
    if not new.ok:
        raise ArchiveError(f"the quantized network has no answer to an input: {new.status}, {new.response}")
    before, after = old.response, new.response
    if is_probabilities(before) and is_probabilities(after) and before.keys() == after.keys():
        return _of_classes(before, after)
    arrays = array_of(before), array_of(after)
    if arrays[0] is None or arrays[1] is None or arrays[0].shape != arrays[1].shape:
        raise _unknown(before)
    if is_class_map(arrays[0]) and is_class_map(arrays[1]):
        return _of_pixels(arrays[0], arrays[1])
    if arrays[0].ndim == 1 and arrays[0].size > 1:
        return _of_vectors(arrays[0], arrays[1])
    raise _unknown(before)


def _of_classes(before: dict[str, float], after: dict[str, float]) -> _Alike:
    if len(before) < 2:
        raise _unknown(before)
    same = max(before, key=before.__getitem__) == max(after, key=after.__getitem__)
    return _Alike(TOP_CLASS, float(same), np.array([abs(before[label] - after[label]) for label in before]))


def _of_pixels(before: np.ndarray, after: np.ndarray) -> _Alike:
    same = before[..., 0] == after[..., 0]
    return _Alike(PIXELS, float(same.mean()), np.abs(before[..., 1] - after[..., 1])[same])


def _of_vectors(before: np.ndarray, after: np.ndarray) -> _Alike:
    lengths = np.linalg.norm(before) * np.linalg.norm(after)
    return _Alike(COSINE, float(before @ after / max(lengths, 1e-12)), np.abs(before - after))


def _unknown(answer: Any) -> ArchiveError:
    text = str(answer)
    return ArchiveError(
        "how far answers agree is told of scores of two classes or more, of classes of pixels and of vectors, and"
        f" this archive answers {text if len(text) <= 80 else text[:80] + '...'}"
    )
