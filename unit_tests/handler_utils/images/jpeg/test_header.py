"""JPEG headers, as Pillow and others write them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from ts.handler_utils.images.jpeg.header import read_jpeg_header


def jpeg(mode: str = "RGB", size: tuple = (31, 17), **options) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size).save(file, "JPEG", **options)
    return file.getvalue()


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"comment": "of a cat"}, {"icc_profile": b"x" * 70_000}]
)
@pytest.mark.parametrize(("mode", "channels"), [("RGB", 3), ("L", 1)])
def test_the_size_and_channels_of_a_plain_jpeg_are_read(mode, channels, options, wrap):
    assert read_jpeg_header(wrap(jpeg(mode, **options)))[:3] == (31, 17, channels)


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return jpeg(exif=exif)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", b"no image", b"\x89PNG" + bytes(40)],
    ids=["nothing", "a marker", "text", "PNG"],
)
def test_what_is_no_jpeg_is_left_to_pillow(data):
    assert read_jpeg_header(data) is None


@pytest.mark.parametrize("length", range(0, 700, 7))
def test_a_header_that_is_cut_off_is_left_to_pillow(length):
    whole = jpeg()
    scan = whole.index(b"\xff\xda")
    found = read_jpeg_header(whole[:length])
    assert (found is None) == (length < scan + 14)  # of which the scan's own header has 14 bytes
