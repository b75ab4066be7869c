"""The limits of images: each is held by the header, and names its setting, what was found and the way out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from benchmarks.strangers import images as hostile_images
from benchmarks.strangers.images import flat_jpeg, flat_png
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.limits import MAX_PIXELS, ImageLimits
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.settings import ObjectDetectorSettings, VisionSettings
from ts.handler_utils.images.transform import ImageTransform

CLASSIFIER = ImageTransform(resize=256, crop=224)
PHONES = {
    "12": (4032, 3024),
    "24.5": (5712, 4284),
    "48": (8064, 6048),
    "50": (8160, 6120),
    "50.3": (8192, 6144),
}


def refused(limits: ImageLimits, data: bytes, transform: ImageTransform = CLASSIFIER) -> Any:
    """The error of an image, which is the same for the tensors' decoders, for Pillow's and for whole photos."""
    reader, by_pillow = ImageReader(limits=limits), ImageReader(limits=limits, decoder="pillow")
    errors = []
    for read in (lambda: reader.pixels(data, transform), lambda: by_pillow.pixels(data, transform)):
        with pytest.raises(InvalidInput) as raised:
            read()
        errors.append((raised.value.error_code, raised.value.message))
    assert errors[0] == errors[1]
    return errors[0]


@pytest.mark.parametrize("size", PHONES.values(), ids=PHONES)
def test_the_photos_of_todays_phones_pass(size):
    VisionSettings().limits().check(size)


@pytest.mark.parametrize("megapixels", ["12", "24.5"])
def test_a_detector_takes_what_iphones_send(megapixels):
    ObjectDetectorSettings().limits().check(PHONES[megapixels])
    with pytest.raises(InvalidInput, match="max_pixels is 25165824"):
        ObjectDetectorSettings().limits().check(PHONES["48"])


@pytest.mark.parametrize(
    "data",
    [
        hostile_images.empty_scans_jpeg((13000, 13000), progressive=False),
        hostile_images.decoy_jpeg((12000, 12000)),
        flat_png("L", (13000, 13000), 1),
        hostile_images.flat_tiff("1", (10000, 10000), "lzw", 1),
        hostile_images.bmp_of_ends((8000, 8000), 5),
    ],
    ids=["JPEG without data", "JPEG with a decoy", "PNG", "TIFF", "BMP"],
)
def test_a_bomb_is_refused_before_it_is_decoded(data, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)  # which would decode it
    status, message = refused(ImageLimits(), data)
    assert status == 413
    assert "and max_pixels is 50331648: send a smaller one, or raise handler.max_pixels" in message


COSTS = {
    "JPEG of one scan": (flat_jpeg((80, 60)), 1),
    "grey JPEG": (flat_jpeg((80, 60), mode="L"), 1),
    "PNG": (flat_png("RGB", (80, 60)), 1),
    "CMYK JPEG": (flat_jpeg((80, 60), mode="CMYK"), 3),
    "progressive JPEG": (flat_jpeg((80, 60), progressive=True), 2),
    "JPEG of 11 scans": (hostile_images.empty_scans_jpeg((80, 60), 11), 3),
    "JPEG of 50 scans": (hostile_images.empty_scans_jpeg((80, 60), 50), 10),
    "GIF": (hostile_images.flat_gif((80, 60)), 2),
    "TIFF": (hostile_images.flat_tiff("RGB", (80, 60)), 2),
    "run lengths": (hostile_images.flat_bmp((80, 60)), 16),
    "WebP": (hostile_images.flat_webp((80, 60)), 4),
}


@pytest.mark.parametrize("name", COSTS)
def test_an_image_counts_as_often_as_its_format_costs(name):
    data, cost = COSTS[name]
    enough = ImageLimits(max_pixels=80 * 60 * cost)
    assert ImageReader(limits=enough).pixels(data, CLASSIFIER).shape == (3, 224, 224)
    assert ImageReader(limits=enough).photo(data).size == (80, 60)
    status, message = refused(ImageLimits(max_pixels=80 * 60 * cost - 1), data)
    assert status == 413
    assert (
        "80x60 pixels, and max_pixels" if cost == 1 else f"which count {cost} times in its format"
    ) in message


def test_a_jpeg_of_many_scans_is_refused_at_any_size():
    assert refused(ImageLimits(), hostile_images.empty_scans_jpeg((8, 8), 101)) == (
        400,
        "The JPEG has too many scans: 101, and max_scans is 100: save it as a baseline JPEG, or raise"
        " handler.max_scans in model-config.yaml",
    )
    assert ImageReader().pixels(hostile_images.empty_scans_jpeg((8, 8), 100), CLASSIFIER) is not None


def test_what_looks_like_scans_in_a_jpeg_of_one_does_not_count():
    whole = flat_jpeg((8, 8))
    data = whole[:2] + hostile_images.jpeg_segment(0xFE, b"\xff\xda" * 200) + whole[2:]
    assert ImageReader(limits=ImageLimits(max_pixels=64)).pixels(data, CLASSIFIER) is not None


@pytest.mark.parametrize(
    "data", [hostile_images.thin_png(6000), hostile_images.thin_png(6000, upright=True), flat_jpeg((404, 4))]
)
def test_a_thin_image_is_refused_by_its_header(data):
    status, message = refused(ImageLimits(), data)
    assert status == 400
    assert "pixels, and max_aspect is 100: cut it, or raise handler.max_aspect" in message


def test_an_image_as_thin_as_is_allowed_is_read():
    assert ImageReader().pixels(flat_png("L", (400, 4)), CLASSIFIER).shape == (3, 224, 224)


def test_what_an_image_is_scaled_to_is_held_too():
    status, message = refused(ImageLimits(), flat_png("L", (100, 1)), ImageTransform(resize=800))
    assert status == 413
    assert "scaled to 80000x800 pixels, and max_pixels is 50331648" in message


def test_the_images_of_one_request_share_the_pixels_allowed():
    together = ImageLimits(max_pixels=10 * 80 * 60).together()
    data = flat_png("L", (80, 60))
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(ImageReader().pixels, data, CLASSIFIER, together) for _ in range(13)]
    errors = [job.exception() for job in jobs]
    assert errors.count(None) == 10
    message = "pixels with those before it in the same request, and max_pixels is 48000 for all together"
    assert all(message in str(error) for error in errors if error is not None)


def test_pillows_own_limit_is_named_with_what_lifts_it(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 80 * 60 // 2 - 1)
    for data in (flat_png("L", (80, 60)), flat_jpeg((80, 60))):
        with pytest.raises(
            InvalidInput, match=r"let config\.properties have limit_max_image_pixels=false"
        ) as raised:
            ImageReader().pixels(data, CLASSIFIER)
        assert raised.value.error_code == 413


def test_limit_max_image_pixels_lifts_the_default_but_no_setting(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # as VisionHandler.initialize leaves it then
    assert VisionSettings().limits().max_pixels is None
    assert VisionSettings(max_pixels=MAX_PIXELS).limits().max_pixels == MAX_PIXELS


@pytest.mark.parametrize("wrong", [{"max_pixels": 0}, {"max_aspect": 0.5}, {"max_scans": 0}, {"formats": []}])
def test_a_limit_that_nothing_passes_is_no_setting(wrong):
    with pytest.raises(ValidationError):
        VisionSettings(**wrong)
