"""Pixels for models: those that Pillow and torchvision's transforms make, by whichever decoder."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.jpeg import decoders as jpeg_decoders
from ts.handler_utils.images.jpeg.decoders import cpu_decoder
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.pillow import decode_image
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform

CLASSIFIER = ImageTransform(resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)
WHOLE = ImageTransform()
TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])
NO_TORCHCODEC = r"handler\.decoder: torchcodec does not .*handlers\[codec\]'"


@pytest.fixture(params=["auto", "torchvision", "torchcodec", "pillow"])
def decoder(request) -> str:
    if request.param == "torchcodec" and TORCH < (2, 11):
        pytest.skip("torchcodec's decoders of images need torch 2.11")
    return request.param


def photo(width: int = 500, height: int = 375) -> Image.Image:
    """Smooth colours, fine detail and an edge, so that every kind of error would show."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 17 + channel) * np.cos(y / (9 + channel)) for channel in range(3)]
    values = 128 + 60 * np.stack(waves, axis=-1) + 40 * ((x + y) % 7 < 3)[..., None]
    values[: height // 3, : width // 4] = (250, 10, 120)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def jpeg(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def turned(orientation: Any) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return jpeg(photo(), exif=exif)


def many_pictures() -> bytes:
    file = io.BytesIO()
    photo().save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (500, 375))])
    return file.getvalue()


JPEGS = {
    "RGB": jpeg(photo()),
    "grey": jpeg(photo().convert("L")),
    "CMYK": jpeg(photo().convert("CMYK")),
    "colours as RGB": jpeg(photo(), keep_rgb=True),
    "full colour resolution": jpeg(photo(), subsampling=0),
    "progressive": jpeg(photo(), progressive=True),
    "restart markers": jpeg(photo(), restart_marker_rows=1),
    "several pictures": many_pictures(),
    "upright by an unknown orientation": turned(9),
    "high": jpeg(photo(200, 900)),
    "small": jpeg(photo(60, 40)),
    "exact": jpeg(photo(256, 256)),
    "a line": jpeg(photo(1000, 10)),
}


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("transform", [CLASSIFIER, WHOLE], ids=["resized", "whole"])
def test_a_jpeg_has_the_pixels_that_pillow_gives(name, transform, decoder):
    found = ImageReader(decoder=decoder).pixels(JPEGS[name], transform)
    expected = transform.pixels(decode_image(JPEGS[name]))
    assert found.dtype == torch.uint8
    exact = decoder == "pillow" or transform is WHOLE
    difference = (found.int() - expected.int()).abs()
    assert difference.max() <= (0 if exact else 1)
    assert (difference > 0).float().mean() <= 0.05


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("transform", [CLASSIFIER, WHOLE], ids=["resized", "whole"])
def test_a_jpeg_is_turned_upright(orientation, transform, decoder):
    data = turned(orientation)
    found = ImageReader(decoder=decoder).pixels(data, transform)
    expected = transform.pixels(decode_image(data))
    assert (found.int() - expected.int()).abs().max() <= 1
    left = ImageReader(decoder=decoder, exif=False).pixels(data, transform)
    assert (left.int() - transform.pixels(photo_as_stored(data)).int()).abs().max() <= 1


def photo_as_stored(data: bytes) -> Image.Image:
    return decode_image(data, exif=False)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"])
@pytest.mark.parametrize("resize", [100, 700, [90, 300]])
def test_each_interpolation_is_pillows(interpolation, resize, decoder):
    transform = ImageTransform(resize=resize, interpolation=interpolation)
    found = ImageReader(decoder=decoder).pixels(JPEGS["RGB"], transform)
    expected = transform.pixels(decode_image(JPEGS["RGB"]))
    assert found.shape == expected.shape
    assert (found.int() - expected.int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["RGB", "grey"])
def test_grey_models_get_pillows_grey(name, decoder):
    transform = ImageTransform(channels=1)
    found = ImageReader(decoder=decoder).pixels(JPEGS[name], transform)
    assert torch.equal(found, transform.pixels(decode_image(JPEGS[name])))


def test_a_cpu_that_scales_tensors_slowly_scales_by_pillow(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    found = ImageReader().pixels(JPEGS["RGB"], CLASSIFIER)
    assert torch.equal(found, CLASSIFIER.pixels(decode_image(JPEGS["RGB"])))


@pytest.mark.parametrize("cut", [2, 100, 700, 5000])
def test_a_damaged_jpeg_is_refused_in_pillows_words(cut, decoder):
    data = JPEGS["RGB"][:cut]
    with pytest.raises(InvalidInput) as expected:
        decode_image(data)
    with pytest.raises(InvalidInput) as raised:
        ImageReader(decoder=decoder).pixels(data, CLASSIFIER)
    assert str(raised.value) == str(expected.value)


def test_a_jpeg_of_too_many_pixels_is_not_decoded(decoder):
    reader = ImageReader(decoder=decoder, limits=ImageLimits(max_pixels=500 * 375 - 1))
    with pytest.raises(InvalidInput, match="500x375 pixels, and max_pixels is 187499") as raised:
        reader.pixels(JPEGS["RGB"], CLASSIFIER)
    assert raised.value.error_code == 413
    reader = ImageReader(decoder=decoder, limits=ImageLimits(max_pixels=500 * 375))
    assert reader.pixels(JPEGS["RGB"], CLASSIFIER) is not None


def test_pillows_own_limit_holds_without_a_setting(decoder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500 * 375 // 2 - 1)  # Pillow refuses twice as many
    with pytest.raises(InvalidInput, match="too large") as raised:
        ImageReader(decoder=decoder).pixels(JPEGS["RGB"], CLASSIFIER)
    assert raised.value.error_code == 413


def test_scaled_decoding_leaves_out_detail_and_keeps_what_the_model_sees():
    large = jpeg(photo(2000, 1500))
    scaled = ImageReader(scaled_decode=True).pixels(large, CLASSIFIER)
    exact = CLASSIFIER.pixels(decode_image(large))
    assert scaled.shape == exact.shape
    difference = (scaled.int() - exact.int()).abs().float()
    assert 0 < difference.mean() < 3


@pytest.mark.parametrize("size", [(500, 375), (257, 300), (200, 100)])
def test_scaled_decoding_never_leaves_fewer_pixels_than_are_asked_for(size):
    data = jpeg(photo(*size))
    scaled = decode_image(data, least_side=256)
    assert scaled.size == size


@pytest.mark.parametrize(("size", "scaled"), [((511, 700), False), ((512, 700), True), ((700, 511), False)])
def test_a_photo_too_small_to_be_decoded_in_half_its_size_is_decoded_as_others_are(size, scaled):
    data = jpeg(photo(*size))
    found = ImageReader(scaled_decode=True).pixels(data, CLASSIFIER)
    in_half = CLASSIFIER.pixels(decode_image(data, least_side=256))
    assert torch.equal(found, in_half if scaled else ImageReader().pixels(data, CLASSIFIER))


def test_a_decoder_that_is_not_installed_stops_the_load(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    cpu_decoder.cache_clear()
    try:
        with pytest.raises(ValueError, match=NO_TORCHCODEC):
            ImageReader(decoder="torchcodec")
    finally:
        cpu_decoder.cache_clear()


@pytest.mark.skipif(TORCH >= (2, 11), reason="torchcodec works with this torch")
def test_a_decoder_for_a_newer_torch_stops_the_load():
    with pytest.raises(ValueError, match=NO_TORCHCODEC):
        ImageReader(decoder="torchcodec")


def test_where_no_decoder_of_tensors_works_pillow_decodes(monkeypatch):
    def broken() -> Any:
        raise ImportError("no such package")

    monkeypatch.setattr(jpeg_decoders, "_ON_CPU", {"torchvision": broken, "torchcodec": broken})
    cpu_decoder.cache_clear()
    try:
        found = ImageReader().pixels(JPEGS["RGB"], CLASSIFIER)
    finally:
        cpu_decoder.cache_clear()
    assert torch.equal(found, CLASSIFIER.pixels(decode_image(JPEGS["RGB"])))


def test_nvjpeg_needs_a_gpu():
    with pytest.raises(ValueError, match=r"handler\.decoder: nvjpeg needs a GPU"):
        ImageReader(decoder="nvjpeg", device="cpu")


def test_torchvision_decodes_without_being_imported_and_can_be_imported_then():
    code = """
import sys
from ts.handler_utils.images.jpeg.decoders import cpu_decoder, _smallest_jpeg
decoder = cpu_decoder("torchvision")
assert decoder.decode(_smallest_jpeg(), mode="RGB").shape == (3, 8, 8)
assert "torchvision" not in sys.modules
import torchvision.io
assert torchvision.io.decode_jpeg(_smallest_jpeg()).shape == (3, 8, 8)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
