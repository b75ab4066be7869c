from __future__ import annotations

import io

import pytest
from PIL import Image

from ts.handler_utils.images.pillow import decode_image
from ts.handler_utils.pictures.overlay_encoding import encode_overlay


@pytest.mark.parametrize("sent", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_is_answered_with_a_jpeg_and_all_else_with_a_png(sent: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 0, 0)).save(file, sent, exif=exif)
    photo = decode_image(file.getvalue())
    data, content_type = encode_overlay(photo.convert("RGB"), photo.format)
    answered = Image.open(io.BytesIO(data))
    expected = "JPEG" if sent == "JPEG" else "PNG"
    assert (answered.format, content_type) == (expected, f"image/{expected.lower()}")
    assert answered.size == photo.size
    red, green, blue = answered.convert("RGB").getpixel((20, 15))
    assert abs(red - 200) < 4
    assert max(green, blue) < 4
