"""Finds places for captions: beside their boxes, in the picture, and nowhere on top of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional

import numpy as np

from ts.handler_utils.pictures.measures import Size

Box = tuple[float, float, float, float]
"""The left, upper, right and lower edge, in pixels of the picture."""

_SLIDES = (0.25, 0.5, 0.75)  # of a box's side: where else along it a caption may stand


def upright(box: Sequence[float]) -> Box:
    """A box, its first corner before its second."""
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def inside(box: Sequence[float], picture: Size) -> Box:
    """What of a box lies in the picture; of one beside it, the nearest place of its edge."""
    x1, y1, x2, y2 = (min(max(edge, 0), side) for edge, side in zip(upright(box), (*picture, *picture)))
    return x1, y1, x2, y2


class Place(NamedTuple):
    """Where a caption stands.

    Attributes:
        left: of its patch, a whole pixel of the picture.
        top: of its patch.
        choice: which of the sizes that it may have it has there.
    """

    left: int
    top: int
    choice: int


def place_captions(
    boxes: Sequence[Box], choices: Sequence[Sequence[Size]], picture: Size
) -> list[Optional[Place]]:
    """Places the caption of each box in turn: those that come first have the better places.

    Args:
        boxes: inside the picture.
        choices: the sizes that each caption may have, the preferred ones first, in pixels.
        picture: its width and height.

    Returns:
        Of each caption its place, or None where all places at its box are taken. No two overlap, and all lie
        inside the picture.
    """
    taken = np.empty((len(boxes), 4), dtype=np.int64)
    places: list[Optional[Place]] = []
    count = 0
    for box, sizes in zip(boxes, choices):
        place = _free_place(box, sizes, picture, taken[:count])
        if place is not None:
            width, height = sizes[place.choice]
            taken[count] = (place.left, place.top, place.left + width, place.top + height)
            count += 1
        places.append(place)
    return places


def _free_place(box: Box, sizes: Sequence[Size], picture: Size, taken: np.ndarray) -> Optional[Place]:
    for choice, size in enumerate(sizes):
        if size[0] > picture[0] or size[1] > picture[1]:
            continue
        corners = np.array(list(_corners(box, size, picture)), dtype=np.int64)
        left, top = corners[:, :1], corners[:, 1:]
        overlaps = (
            (left < taken[:, 2])
            & (left + size[0] > taken[:, 0])
            & (top < taken[:, 3])
            & (top + size[1] > taken[:, 1])
        ).any(axis=1)
        if not overlaps.all():
            x, y = corners[int(overlaps.argmin())]
            return Place(int(x), int(y), choice)
    return None


def _corners(box: Box, size: Size, picture: Size) -> Iterator[tuple[int, int]]:
    """The upper left corners of a caption at a box, the best first, such that the picture holds it."""
    (x1, y1, x2, y2), (width, height) = (round(edge) for edge in box), size
    right, bottom = picture[0] - width, picture[1] - height
    above, below = y1 - height, y2
    for x in (x1, x2 - width):
        if above >= 0:
            yield _between(x, right), above
    room = y2 - y1 >= 3 * height  # a caption in a smaller box would hide what is in it
    for x, y in ((x1, y1), (x1, below), (x2 - width, below), (x2 - width, y1), (x1, y2 - height)):
        if (room or y == below) and y <= bottom:
            yield _between(x, right), _between(y, bottom)
    for y in (y1, y2 - height):
        for x in (x2, x1 - width):
            if 0 <= x <= right:
                yield x, _between(y, bottom)
    for share in _SLIDES:
        x = _between(round(x1 + share * (x2 - x1 - width)), right)
        if above >= 0:
            yield x, above
        if below <= bottom:
            yield x, below
    yield _between(x1, right), _between(above, bottom)


def _between(value: int, most: int) -> int:
    return min(max(value, 0), most)
