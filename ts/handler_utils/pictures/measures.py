"""How large lines and letters are on a picture: they grow with it.

Text has a largest size, and a thin picture no larger lines than a part of it: what is drawn costs no more than its
photo, whatever a model found in it.
"""

from __future__ import annotations

import math

_LINES_A_DIAGONAL = 350
_LETTERS_A_DIAGONAL = 50
_SMALLEST, _LARGEST = 10, 128  # pixels; smaller letters cannot be read, larger take long to draw
_LONGEST_SIDE = 4  # shorter sides long: what a picture has beyond that makes nothing in it larger

Size = tuple[int, int]
"""Width and height, in pixels."""


def line_width(size: Size) -> int:
    """The width, in pixels, of a line that is easily seen on a picture."""
    return max(1, round(_diagonal(size) / _LINES_A_DIAGONAL))


def letter_size(size: Size, share: float = 1.0) -> int:
    """The size of letters, in pixels, that are easily read on a picture.

    Args:
        size: of the picture.
        share: of that size, which is never less than can be read.
    """
    return min(max(_SMALLEST, round(share * _diagonal(size) / _LETTERS_A_DIAGONAL)), _LARGEST)


def _diagonal(size: Size) -> float:
    """The diagonal of a picture, in pixels; of a thin one, that of a part of it."""
    short, long = sorted(size)
    return math.hypot(short, min(long, _LONGEST_SIDE * short))
