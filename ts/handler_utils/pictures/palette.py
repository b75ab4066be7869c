"""Colours for class indexes: the same class has the same colour in every picture."""

from __future__ import annotations

import colorsys

Colour = tuple[int, int, int]
"""Red, green and blue, each in [0, 255]."""

_GOLDEN_RATIO = 0.618033988749895
_SHADES = ((0.85, 1.0), (0.60, 0.90), (1.0, 0.75))  # saturation and value


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


def vivid_colour(index: int) -> Colour:
    """A bright colour for a class index, for lines and labels on photos; there is no dark background class.

    Hues step around the colour circle by the golden ratio, so that neighbouring indexes lie far apart.
    """
    saturation, value = _SHADES[index % len(_SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(index * _GOLDEN_RATIO % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever is easier to read on `background` (by its luma, ITU-R BT.601)."""
    red, green, blue = background
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (0, 0, 0) if luma > 140 else (255, 255, 255)
