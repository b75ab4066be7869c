"""Which known name a misspelt one was meant for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

_SHORT = 5  # letters of a name in which one letter may be wrong; in a longer one two
_LONGEST = 64


def nearest(name: str, known: Iterable[str]) -> Optional[str]:
    """The known name from which another differs by case, by `_` and `-`, or by one or two letters; else None."""
    if len(name) > _LONGEST:
        return None
    plain = _plain(name)
    found = [(distance(plain, _plain(candidate)), candidate) for candidate in known]
    steps, candidate = min(found, default=(_LONGEST, ""))
    return candidate if steps <= (1 if min(len(plain), len(_plain(candidate))) <= _SHORT else 2) else None


def distance(one: str, other: str) -> int:
    """How many letters have to be put in, taken out, replaced, or swapped with the next, to make one of the other.

    The optimal string alignment distance.
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        this = [row]
        for column, other_letter in enumerate(other, start=1):
            steps = min(last[column] + 1, this[-1] + 1, last[column - 1] + (letter != other_letter))
            if is_swap(one, other, row, column):
                steps = min(steps, before[column - 2] + 1)
            this.append(steps)
        before, last = last, this
    return last[-1]


def are_swapped(one: str, other: str) -> bool:
    """Whether two names differ by two letters that have changed places, and nothing else."""
    return len(one) == len(other) and sorted(one) == sorted(other) and distance(one, other) == 1


def is_swap(one: str, other: str, row: int, column: int) -> bool:
    """Whether the two letters that end at 1-based places in both are the same, swapped."""
    if row < 2 or column < 2:
        return False
    return one[row - 2 : row] == other[column - 2 : column][::-1]


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")
