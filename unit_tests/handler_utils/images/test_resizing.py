"""Parts of scaled images, made without the whole."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.images.resizing import resize_image, resize_opaque, resize_part

NOISE = np.random.default_rng(0)


def noise(width: int, height: int, mode: str) -> Image.Image:
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    return Image.fromarray(NOISE.integers(0, 256, (height, width, *channels), dtype=np.uint8))


SIZES = [((900, 10), (2340, 26)), ((7, 300), (25, 1071)), ((500, 400), (61, 49)), ((300, 20), (150, 10))]


@pytest.mark.parametrize("interpolation", ["bilinear", "hamming", "bicubic", "lanczos", "box", "nearest"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("size", "scaled"), SIZES)
def test_a_part_is_as_if_cut_from_the_whole(size, scaled, mode, interpolation):
    image = noise(*size, mode)
    part = (scaled[0] // 3, scaled[1] // 4, scaled[0] // 3 + 9, scaled[1] // 4 + 7)
    expected = np.asarray(resize_image(image, scaled, interpolation).crop(part)).astype(int)
    difference = np.abs(np.asarray(resize_part(image, scaled, part, interpolation)) - expected)
    assert difference.shape[:2] == (7, 9)
    if interpolation in ("bilinear", "hamming"):
        assert difference.max() <= 1
    assert difference.mean() < 5  # of noise: of other pixels they would differ by 85


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos", "box", "nearest"])
@pytest.mark.parametrize("scaled", [(30, 20), (200, 300)])
def test_colours_are_scaled_by_themselves_as_together(scaled, interpolation):
    image = noise(90, 60, "RGBA")
    expected = resize_image(image.convert("RGB"), scaled, interpolation)
    assert resize_opaque(image, scaled, interpolation).tobytes() == expected.tobytes()
