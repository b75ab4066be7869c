"""16-bit and float images made into 8-bit ones."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.images import eight_bits
from ts.handler_utils.images.eight_bits import to_8_bit

NOISE = np.random.default_rng(1)
SHAPE = (37, 53)


def all_at_once(image: Image.Image) -> np.ndarray:
    """The same in float64, for the whole image."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode == "F" and values.max() <= 1:
        values *= 255
    elif values.max() > 255:
        values /= 257
    return values.round().clip(0, 255).astype(np.uint8)


def float_image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values.astype(np.float32))


IMAGES = {
    "16 bits": Image.fromarray(NOISE.integers(0, 2**16, SHAPE).astype(np.uint16)),
    "16 bits that fit in 8": Image.fromarray(NOISE.integers(0, 256, SHAPE).astype(np.uint16)),
    "16 bits, the other way round": Image.frombytes("I;16B", (53, 37), NOISE.bytes(2 * 37 * 53)),
    "32 bits": Image.fromarray(NOISE.integers(-500, 10**6, SHAPE).astype(np.int32)),
    "32 bits that fit in 16": Image.fromarray(NOISE.integers(0, 2**16, SHAPE).astype(np.int32)),
    "floats up to 1": float_image(NOISE.random(SHAPE)),
    "floats up to 255": float_image(NOISE.random(SHAPE) * 255),
    "large floats": float_image(NOISE.normal(0, 1e5, SHAPE)),
    "no numbers": float_image(np.where(NOISE.random(SHAPE) < 0.1, np.nan, NOISE.random(SHAPE))),
    "infinity": float_image(np.where(NOISE.random(SHAPE) < 0.1, np.inf, -np.inf)),
    "negative": float_image(-NOISE.random(SHAPE)),
}


@pytest.mark.parametrize("pixels", [10, 200, 10**6])
@pytest.mark.parametrize("name", IMAGES)
def test_in_strips_an_image_becomes_what_it_becomes_at_once(name, pixels, monkeypatch):
    monkeypatch.setattr(eight_bits, "_PIXELS_AT_A_TIME", pixels)
    found = to_8_bit(IMAGES[name])
    assert found.mode == "L"
    assert np.array_equal(np.asarray(found), all_at_once(IMAGES[name]))


def test_the_largest_value_counts_for_all_strips(monkeypatch):
    monkeypatch.setattr(eight_bits, "_PIXELS_AT_A_TIME", 1)
    image = Image.fromarray(np.array([[7], [7], [65535]], np.uint16))
    assert np.asarray(to_8_bit(image)).ravel().tolist() == [0, 0, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
def test_other_images_are_left_alone(mode):
    image = Image.new(mode, (4, 4))
    assert to_8_bit(image) is image


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_no_copy_of_the_whole_image_is_made_on_the_way(mode):
    image = Image.new(mode, (2000, 2000))
    tracemalloc.start()
    try:
        to_8_bit(image)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (
        peak < 2000 * 2000 * 4
    )  # in float64, with copies, it were 24 bytes a pixel; numpy's alone are traced
