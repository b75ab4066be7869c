"""Colours for class indexes: the same class has the same colour in every picture, where the photo allows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

Colour = tuple[int, int, int]
"""Red, green and blue, each in [0, 255]."""

CLASS_COLOURS: tuple[Colour, ...] = (
    # Masataka Okabe and Kei Ito, "Color Universal Design" (2008), https://jfly.uni-koeln.de/color/, without black:
    # the colour-blind tell them apart.
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    # Each of these lies, of all colours in steps of 15 that are neither dark, pale nor grey, farthest from those
    # before it (in OKLab, as whichever sees them least apart: common vision, deuteranopia or protanopia).
    (90, 255, 255),
    (30, 60, 255),
    (135, 210, 165),
    (90, 135, 255),
    (165, 60, 45),
    (180, 0, 120),
    (150, 255, 180),
    (135, 210, 255),
    (210, 0, 180),
    (255, 75, 105),
    (195, 210, 105),
    (105, 195, 195),
    (210, 75, 225),
    (45, 240, 210),
    (195, 75, 60),
    (180, 180, 105),
    (0, 135, 210),
)

# How far, in OKLab, a colour is to lie from the photo beneath it: nearer, a tint of it is hardly seen.
_CLOSE = 0.16


def class_colour(index: int) -> Colour:
    """The colour of a class, for lines, regions and labels on photos; there is no dark background class."""
    return CLASS_COLOURS[index % len(CLASS_COLOURS)]


def class_colours(indexes: Sequence[int], beneath: Sequence[Optional[Colour]] = ()) -> list[Colour]:
    """The colours of the classes in one picture.

    A class has its own (`class_colour`), unless one before it has that colour, or the photo beneath it nearly
    has: then it gets the next of `CLASS_COLOURS`. Colours repeat only where there are more classes than colours.

    Args:
        indexes: class indexes; those that come first choose first.
        beneath: of each the colour of the photo beneath it; None, or nothing, where that does not matter.
    """
    chosen: dict[int, Colour] = {}
    free: list[Colour] = []
    photo = [*beneath, *[None] * (len(indexes) - len(beneath))]
    for index, under in zip(indexes, photo):
        if index not in chosen:
            free = free or list(CLASS_COLOURS)
            chosen[index] = _nearest_choice(index, free, under)
            free.remove(chosen[index])
    return [chosen[index] for index in indexes]


def _nearest_choice(index: int, free: Sequence[Colour], under: Optional[Colour]) -> Colour:
    """The first free colour, from a class's own on, that differs from what is under it; else the farthest."""
    own = index % len(CLASS_COLOURS)
    turned = [colour for colour in (*CLASS_COLOURS[own:], *CLASS_COLOURS[:own]) if colour in free]
    if under is None:
        return turned[0]
    below = oklab(under)
    apart = [sum((a - b) ** 2 for a, b in zip(oklab(colour), below)) ** 0.5 for colour in turned]
    clear = [colour for colour, distance in zip(turned, apart) if distance >= _CLOSE]
    return clear[0] if clear else turned[apart.index(max(apart))]


def oklab(colour: Sequence[float]) -> tuple[float, float, float]:
    """A colour of sRGB in OKLab, where distances are about as large as they are seen.

    Source: Björn Ottosson, "A perceptual color space for image processing" (2020),
    https://bottosson.github.io/posts/oklab/; sRGB: IEC 61966-2-1.
    """
    red, green, blue = (_linear(value / 255) for value in colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def voc_palette(classes: int = 256) -> list[Colour]:
    """The colour map of PASCAL VOC, which segmentation masks are commonly stored with.

    Class 0, the background, is black. Source: `VOClabelcolormap.m` of the VOC development kit (Everingham et al.,
    http://host.robots.ox.ac.uk/pascal/VOC/): the bits of an index, lowest first, are dealt to red, green and
    blue in turn, and fill each from its highest bit down.

    Args:
        classes: how many colours; those of indexes from 256 on repeat the first 256.
    """
    return [_voc_colour(index) for index in range(classes)]


def _voc_colour(index: int) -> Colour:
    red = green = blue = 0
    for place in range(8):
        bits = index >> (3 * place)
        red |= (bits & 1) << (7 - place)
        green |= (bits >> 1 & 1) << (7 - place)
        blue |= (bits >> 2 & 1) << (7 - place)
    return red, green, blue


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever is easier to read on `background` (by its luma, ITU-R BT.601)."""
    red, green, blue = background
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (0, 0, 0) if luma > 128 else (255, 255, 255)
