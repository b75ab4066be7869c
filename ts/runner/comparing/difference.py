"""What a comparison of two answers has found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ts.runner.numbers import apart

SAME, WITHIN, DIFFERS = "same", "within tolerance", "differs"
MOST_NOTES = 4
LONGEST_NOTE = 160  # letters


@dataclass
class Difference:
    """What differs between two answers; nothing at first.

    Attributes:
        tolerance: Of a number, or of the part of it by which it differs where it is above 1.
        largest: The largest difference between numbers.
        share: Of pixels that are of another class.
        is_equal: Whether nothing differs at all.
    """

    tolerance: float
    largest: float = 0.0
    share: float = 0.0
    is_equal: bool = True
    _notes: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """`SAME`, `WITHIN` the tolerance, or it `DIFFERS`."""
        if self.how:
            return DIFFERS
        return SAME if self.is_equal else WITHIN

    @property
    def how(self) -> list[str]:
        """What differs by more than the tolerance, each in a few words."""
        notes = self._notes[:MOST_NOTES]
        if len(self._notes) > MOST_NOTES:
            notes.append(f"and {len(self._notes) - MOST_NOTES:,} more")
        if self.largest > self.tolerance:
            notes.append(f"numbers by up to {self.largest:.2g}")
        return notes

    def note(self, text: str) -> None:
        self.is_equal = False
        self._notes.append(text if len(text) <= LONGEST_NOTE else f"{text[:LONGEST_NOTE]}...")

    def classes(self, other: np.ndarray) -> None:
        """Takes in of each pixel whether it is of another class."""
        self.share = float(other.mean()) if other.size else 0.0
        if self.share:
            self.note(f"{int(other.sum()):,} of {other.size:,} pixels are of another class")

    def numbers(self, old: np.ndarray, new: np.ndarray) -> None:
        """Takes in two arrays of one shape."""
        self.number(float(apart(old, new).max(initial=0.0)))

    def number(self, difference: float) -> None:
        self.largest = max(self.largest, difference)
        self.is_equal = self.is_equal and not difference
