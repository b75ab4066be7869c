"""Class maps as palette PNGs."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.pictures.palette import voc_palette
from ts.handler_utils.segmentation.palette_png import encode_palette_png


def decode(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize("classes", [2, 21, 256])
def test_the_values_of_the_pixels_are_the_classes(classes):
    indexes = (np.arange(30 * classes) % classes).astype(np.uint8).reshape(30, classes)
    image = decode(encode_palette_png(indexes, voc_palette()))
    assert image.format == "PNG"
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), indexes)


def test_the_colours_are_the_palettes():
    image = decode(encode_palette_png(np.array([[0, 1, 15]], dtype=np.uint8), voc_palette()))
    colours = image.convert("RGB")
    assert [colours.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0), (128, 0, 0), (192, 128, 128)]


def test_a_pixel_takes_8_bits_even_of_two_classes():
    png = encode_palette_png(np.array([[0, 1]], dtype=np.uint8), voc_palette())
    bit_depth, colour_type = png[24], png[25]  # of the header, IHDR: section 11.2.2 of the PNG specification
    assert (bit_depth, colour_type) == (8, 3)


def test_a_class_above_255_does_not_fit():
    with pytest.raises(InvalidInput, match="class indexes below 256: ask for format json or rle"):
        encode_palette_png(np.array([[0, 256]], dtype=np.int32), voc_palette())
