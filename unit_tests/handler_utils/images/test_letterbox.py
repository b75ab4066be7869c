"""Photos in letterboxes: the whole photo, scaled to fit, in the middle of grey."""

from __future__ import annotations

from io import BytesIO

import pytest
import torch
from PIL import Image
from torch.nn import functional

from ts.handler_utils.images.orientation import StoredImage, turn_upright
from ts.handler_utils.images.pillow import to_tensor
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.transform import ImageTransform


def noise(width: int, height: int) -> Image.Image:
    values = torch.randint(0, 256, (height, width, 3), generator=torch.Generator().manual_seed(0))
    return Image.fromarray(values.to(torch.uint8).numpy())


def letterboxed(values: torch.Tensor, height: int, width: int, grey: int = 114) -> torch.Tensor:
    """The published arithmetic, of values [C, H, W]."""
    rows, columns = values.shape[-2:]
    gain = min(height / rows, width / columns)
    size = round(rows * gain), round(columns * gain)
    scaled = functional.interpolate(values[None].float(), size, mode="bilinear", align_corners=False)[0]
    canvas = torch.full((len(values), height, width), float(grey))
    top, left = round((height - size[0]) / 2 - 0.1), round((width - size[1]) / 2 - 0.1)
    canvas[:, top : top + size[0], left : left + size[1]] = scaled
    return canvas


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (33, 50), (200, 10), (64, 64), (5, 4), (333, 500)])
@pytest.mark.parametrize(("canvas", "sides"), [(64, (64, 64)), ([32, 96], (32, 96))])
def test_a_photo_is_scaled_to_fit_and_centred(size, canvas, sides):
    photo = noise(*size)
    pixels = ImageTransform(letterbox=canvas).pixels(photo)
    expected = letterboxed(to_tensor(photo), *sides)
    assert pixels.dtype == torch.uint8
    assert (pixels - expected).abs().max() <= 1.01  # of 255: the rounding of two steps


def test_pixels_and_border_are_exact_where_nothing_is_scaled():
    photo = noise(64, 40)
    pixels = ImageTransform(letterbox=64, pad_value=7).pixels(photo)
    assert torch.equal(pixels.float(), letterboxed(to_tensor(photo), 64, 64, grey=7))


def test_what_is_left_of_an_odd_border_is_below_and_to_the_right():
    pixels = ImageTransform(letterbox=[8, 5]).pixels(Image.new("RGB", (5, 5)))
    assert pixels[0, :, 0].tolist() == [114, 0, 0, 0, 0, 0, 114, 114]


def test_the_border_is_normalized_with_the_photo():
    transform = ImageTransform(letterbox=4, mean=[0.5] * 3, std=[0.25] * 3)
    corner = transform(Image.new("RGB", (4, 2), "white"))[:, 0, 0]
    assert corner.tolist() == pytest.approx([(114 / 255 - 0.5) / 0.25] * 3, abs=1e-6)
    assert transform.shape == (3, 4, 4)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "I;16", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_mode_is_converted_first(mode, channels):
    photo = noise(50, 30).convert("L" if mode == "I;16" else mode).convert(mode)
    plain = ImageTransform(channels=channels).pixels(photo)
    pixels = ImageTransform(channels=channels, letterbox=50).pixels(photo)
    assert torch.equal(pixels.float(), letterboxed(plain, 50, 50))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_stored_values_are_turned_first(orientation):
    values = to_tensor(noise(70, 40))
    pixels = ImageTransform(letterbox=32).pixels(StoredImage(values, orientation))
    expected = letterboxed(turn_upright(values, orientation), 32, 32)
    assert (pixels - expected).abs().max() <= 1.01


@pytest.mark.parametrize("decoder", ["pillow", "auto"])
def test_a_photo_on_its_side_is_turned_by_each_decoder(decoder):
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 6
    smooth = Image.linear_gradient("L").convert("RGB").resize((80, 40))
    smooth.save(file, "JPEG", exif=exif, quality=95)
    pixels = ImageReader(decoder=decoder).pixels(file.getvalue(), ImageTransform(letterbox=32))
    upright = to_tensor(Image.open(file).rotate(-90, expand=True))
    assert (pixels - letterboxed(upright, 32, 32)).abs().max() <= 3


def test_other_interpolations_are_pillows():
    photo = noise(64, 32)
    pixels = ImageTransform(letterbox=32, interpolation="box").pixels(photo)
    expected = to_tensor(photo.resize((32, 16), Image.Resampling.BOX))
    assert torch.equal(pixels[:, 8:24], expected)


def test_torchvisions_transforms_do_the_same():
    transform, photo = ImageTransform(letterbox=32), noise(64, 32)
    value = photo
    for step in transform.transforms:
        value = step(value)
    assert torch.equal(value, transform(photo))
    assert transform.changed() is None
