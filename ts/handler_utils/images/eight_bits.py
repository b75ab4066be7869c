"""16-bit and float images made into 8-bit ones, some rows at a time: all at once would take 20 bytes a pixel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

_PIXELS_AT_A_TIME = 2**18


def to_8_bit(image: Image.Image) -> Image.Image:
    """A grey image of 8 bits; one that has them already, or is of colours, as it is.

    Float images hold [0, 1] or [0, 255]; integer ones 16 bits, unless all their values fit in 8.
    """
    if not (image.mode == "F" or image.mode.startswith("I")):
        return image
    largest = max((float(values.max()) for _, values in _strips(image)), default=0.0)
    factor, divisor = _scale(image.mode, largest)
    result = Image.new("L", image.size)
    if image.mode.startswith("I;16"):
        table = _rounded(np.arange(2**16, dtype=np.float64), factor, divisor)
        for top, values in _strips(image):
            result.paste(Image.fromarray(table[values]), (0, top))
        return result
    for top, values in _strips(image):
        result.paste(Image.fromarray(_rounded(values.astype(np.float64), factor, divisor)), (0, top))
    return result


def _scale(mode: str, largest: float) -> tuple[int, int]:
    if mode == "F" and largest <= 1:
        return 255, 1
    return (1, 257) if largest > 255 else (1, 1)


def _rounded(values: np.ndarray, factor: int, divisor: int) -> np.ndarray:
    if factor != 1:
        values *= factor
    if divisor != 1:
        values /= divisor
    return np.rint(values, out=values).clip(0, 255, out=values).astype(np.uint8)


def _strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """Some rows of an image after another: the number of the first, and the values; not-a-number is 0."""
    width, height = image.size
    rows = max(1, _PIXELS_AT_A_TIME // width)
    for top in range(0, height, rows):
        values = np.asarray(image.crop((0, top, width, min(top + rows, height))))
        yield top, np.nan_to_num(values) if image.mode == "F" else values
