"""How alike the answers of two networks are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Optional

import numpy as np

from ts.runner.errors import ArchiveError

TOP_CLASS, LABELS, VALUES = "top class", "labels above the threshold", "R² of values"
PIXELS, COSINE, SAME = "classes of pixels", "cosine of vectors", "same answer"
THRESHOLD = 0.5  # of a label, where the archive's settings name none


class Said(NamedTuple):
    """What an archive says to an input.

    Attributes:
        of: what of it is compared: one of the names above.
        names: of pixels their classes [H, W]; else the labels, or the answer itself; empty where numbers are all.
        numbers: scores [classes], values, probabilities of the pixels' classes [H, W], or a vector.
    """

    of: str
    names: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Judgement:
    """What was found on inputs that a network was not calibrated with.

    Attributes:
        of: of which parts of answers the agreement is.
        inputs: how many were judged.
        refused: how many more the archive itself gives no answer to.
        agreement: the mean over the inputs, from 0 to 1: of classifiers the share with the same top class; of
            several labels what both have above the threshold, as a share of what either has; of segmenters the
            share of pixels with the same class; of vectors their cosine. Of values, the mean over the outputs of
            the coefficient of determination, 0 at least.
        smallest: of one input, or of one output.
        largest_change: of a score of a class, a value, a probability of a pixel's class, or a number of a vector.
        mean_change: of all of these.
    """

    of: str
    inputs: int
    refused: int
    agreement: float
    smallest: float
    largest_change: float
    mean_change: float


class Judge:
    """Compares what two networks say, input by input.

    Args:
        threshold: of labels; None for `THRESHOLD`.
    """

    def __init__(self, threshold: Optional[float] = None) -> None:
        self._threshold = THRESHOLD if threshold is None else threshold
        self._of = ""
        self._agreements: list[float] = []
        self._values: list[tuple[np.ndarray, np.ndarray]] = []
        self._largest = self._sum = 0.0
        self._count = 0

    def add(self, old: Said, new: Said) -> None:
        """Compares what they say to one input.

        Raises:
            ArchiveError: it is not of the same form.
        """
        if old.of != new.of or (old.of != TOP_CLASS and old.numbers.shape != new.numbers.shape):
            raise ArchiveError("the quantized network answers in another form than the one in float32")
        self._of = old.of
        if old.of == VALUES:
            self._values.append((old.numbers, new.numbers))
        else:
            self._agreements.append(self._alike(old, new))
        changes = _changes(old, new)
        self._largest = max(self._largest, float(changes.max(initial=0.0)))
        self._sum += float(changes.sum())
        self._count += changes.size

    def _alike(self, old: Said, new: Said) -> float:
        if old.of == TOP_CLASS:
            return float(_top(old) == _top(new))
        if old.of == LABELS:
            above = old.numbers >= self._threshold, new.numbers >= self._threshold
            either = (above[0] | above[1]).sum()
            return float((above[0] & above[1]).sum() / either) if either else 1.0
        if old.of == COSINE:
            lengths = np.linalg.norm(old.numbers) * np.linalg.norm(new.numbers)
            return float(old.numbers @ new.numbers / max(lengths, 1e-12))
        return float((old.names == new.names).mean())

    def judgement(self, refused: int) -> Judgement:
        """What was found.

        Args:
            refused: how many inputs have no answer in float32.
        """
        agreements = self._agreements or _determined(*map(np.stack, zip(*self._values)))
        return Judgement(
            of=self._of,
            inputs=len(self._agreements) or len(self._values),
            refused=refused,
            agreement=float(np.mean(agreements)),
            smallest=float(min(agreements)),
            largest_change=self._largest,
            mean_change=self._sum / self._count if self._count else 0.0,
        )


def _top(said: Said) -> object:
    """The best class: its label, or its index."""
    best = int(said.numbers.argmax())
    return said.names[best] if said.names.size else best


def _changes(old: Said, new: Said) -> np.ndarray:
    if old.of == PIXELS:  # of those with the same class
        return np.abs(old.numbers - new.numbers)[old.names == new.names]
    if old.names.size and old.of == TOP_CLASS:  # of the labels that both name
        _, first, second = np.intersect1d(old.names, new.names, return_indices=True)
        return np.abs(old.numbers[first] - new.numbers[second])
    return np.abs(old.numbers - new.numbers)


def _determined(old: np.ndarray, new: np.ndarray) -> list[float]:
    """The coefficient of determination of each output: 1 - (squared errors) / (squared distances from the mean).

    Args:
        old: values [inputs, outputs].
        new: those that stand for them.
    """
    errors = np.square(new - old).sum(axis=0)
    spread = np.square(old - old.mean(axis=0)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(errors == 0, 1.0, 1 - errors / spread)
    return [float(value) for value in found.clip(min=0)]
