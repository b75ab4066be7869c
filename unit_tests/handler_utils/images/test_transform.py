"""What a transform makes of images of all modes, and how much it makes on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.strangers.images import flat_png, thin_png
from ts.handler_utils.images import transform as transform_module
from ts.handler_utils.images.center_crop import center_crop
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.orientation import StoredImage
from ts.handler_utils.images.pillow import to_channels, to_tensor
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.resizing import resize_image, resized_size
from ts.handler_utils.images.transform import ImageTransform

NOISE = np.random.default_rng(2)
THIN = ImageLimits(max_aspect=10**6)


def noise(mode: str, width: int = 90, height: int = 61) -> Image.Image:
    colours = Image.fromarray(NOISE.integers(0, 256, (height, width, 4), dtype=np.uint8))
    if mode in ("I;16", "I", "F"):
        values = NOISE.integers(0, 2**16, (height, width))
        return Image.fromarray(values.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    return colours if mode == "RGBA" else colours.convert("RGB").convert(mode)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_the_pixels_are_those_of_an_image_converted_first_and_scaled_then(mode, channels, interpolation):
    image = noise(mode)
    transform = ImageTransform(resize=40, crop=36, channels=channels, interpolation=interpolation)
    scaled = resize_image(to_channels(image, channels), resized_size(40, image.size), interpolation)
    expected = center_crop(to_tensor(scaled), 36, 36)
    assert (transform.pixels(image) != expected).sum() == 0


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_no_image_of_4_bytes_a_pixel_is_made_beside_another(mode, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise AssertionError("the whole image was converted")

    image = noise(mode)
    monkeypatch.setattr(Image.Image, "convert", fails)
    assert ImageTransform(resize=40, crop=36).pixels(image).shape == (3, 36, 36)


class Sizes:
    """Notes the sizes that images are scaled to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[tuple[int, int]] = []
        resize = Image.Image.resize

        def noted(image: Image.Image, size: tuple[int, int], *args: object) -> Image.Image:
            self.seen.append(size)
            return resize(image, size, *args)

        monkeypatch.setattr(Image.Image, "resize", noted)


@pytest.mark.parametrize("upright", [False, True])
def test_of_a_thin_image_only_what_the_crop_leaves_is_made(upright, monkeypatch):
    sizes = Sizes(monkeypatch)
    found = ImageReader(limits=THIN).pixels(
        thin_png(60_000, upright=upright), ImageTransform(resize=256, crop=224)
    )
    assert torch.equal(found, torch.zeros(3, 224, 224, dtype=torch.uint8))
    assert sizes.seen == [(224, 224)]  # and not (15360000, 256)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("crop", [30, 70, [20, 90]])
@pytest.mark.parametrize("size", [(700, 12), (12, 700)])
def test_a_thin_image_has_the_pixels_that_it_has_when_scaled_first(size, crop, orientation, monkeypatch):
    values = to_tensor(noise("RGB", *size))
    stored = StoredImage(values, orientation)
    transform = ImageTransform(resize=50, crop=crop)
    expected = transform.pixels(stored).int()
    monkeypatch.setattr(transform_module, "_MANY_PIXELS", 0)
    found = transform.pixels(stored).int()
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= 1


def test_a_photo_is_scaled_first_and_then_cropped(monkeypatch):
    sizes = Sizes(monkeypatch)
    ImageReader().pixels(flat_png("RGB", (160, 20)), ImageTransform(resize=256, crop=224))
    assert sizes.seen == [(2048, 256)]
