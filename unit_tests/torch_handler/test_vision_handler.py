"""Images of every mode and format, as clients send them."""

from __future__ import annotations

import base64
import io
import struct
import threading
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from ts.handler_utils.errors import RowErrors
from ts.handler_utils.images.batches import ImageBatches
from ts.torch_handler.vision_handler import VisionHandler

# Four blocks of colour, large enough to survive lossy formats.
COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
PICTURE = Image.fromarray(COLOURS.repeat(16, axis=0).repeat(16, axis=1))
GREYS = [76, 150, 29, 255]  # of these colours, by ITU-R 601-2 luma


def encode(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@pytest.fixture
def handler():
    handler = VisionHandler()
    handler.device = torch.device("cpu")
    return handler


def corners(handler, data: bytes) -> list[list[int]]:
    """The RGB values [0, 255] in the middle of the four blocks that the handler decodes from an image."""
    (image,) = handler.preprocess([{"data": data}])
    assert image.shape == (3, 32, 32)
    return [(image[:, y, x] * 255).round().int().tolist() for y in (8, 24) for x in (8, 24)]


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("RGB", "PNG", {}),
        ("RGB", "BMP", {}),
        ("RGB", "JPEG", {"quality": 95, "subsampling": 0}),
        ("RGB", "WEBP", {"lossless": True}),
        ("RGBA", "PNG", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("P", "PNG", {}),
        ("P", "GIF", {}),
        ("CMYK", "TIFF", {}),
        ("CMYK", "JPEG", {"quality": 95, "subsampling": 0}),
        ("YCbCr", "JPEG", {"quality": 95, "subsampling": 0}),
    ],
)
def test_colours_come_through_in_every_mode_and_format(mode, format, options, handler):
    found = corners(handler, encode(PICTURE.convert(mode), format, **options))
    assert np.abs(np.array(found) - COLOURS.reshape(4, 3)).max() <= 4


@pytest.mark.parametrize(("mode", "format"), [("L", "PNG"), ("L", "JPEG"), ("LA", "PNG")])
def test_grey_images_become_rgb(mode, format, handler):
    found = np.array(corners(handler, encode(PICTURE.convert(mode), format)))
    assert np.abs(found - np.array(GREYS)[:, None]).max() <= 2


def test_one_bit_images_become_rgb(handler):
    black_and_white = PICTURE.convert("L").point(lambda grey: 255 if grey > 100 else 0).convert("1")
    found = corners(handler, encode(black_and_white, "PNG"))
    assert found == [[0] * 3, [255] * 3, [0] * 3, [255] * 3]


@pytest.mark.parametrize(
    ("dtype", "scale", "format"),
    [
        (np.uint16, 257, "PNG"),
        (np.uint16, 257, "TIFF"),
        (np.float32, 1 / 255, "TIFF"),
        (np.float32, 1, "TIFF"),
    ],
    ids=["16-bit PNG", "16-bit TIFF", "float TIFF in [0, 1]", "float TIFF in [0, 255]"],
)
def test_deep_images_are_scaled_to_8_bits(dtype, scale, format, handler):
    greys = np.array(GREYS, dtype=np.float64).reshape(2, 2).repeat(16, axis=0).repeat(16, axis=1)
    image = Image.fromarray((greys * scale).astype(dtype))
    found = corners(handler, encode(image, format))
    assert found == [[grey] * 3 for grey in GREYS]


def test_of_an_animation_the_first_frame_is_taken(handler):
    frames = [PICTURE.convert("P"), Image.new("P", (32, 32))]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert Image.open(io.BytesIO(data)).n_frames == 2
    assert corners(handler, data) == COLOURS.reshape(4, 3).tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(orientation, handler):
    to_stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = PICTURE if to_stored is None else PICTURE.transpose(to_stored)
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(handler, encode(stored, "PNG", exif=exif)) == COLOURS.reshape(4, 3).tolist()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: {"data": data},
        lambda data: {"body": bytearray(data)},
        lambda data: {"data": memoryview(data)},
        lambda data: {"data": base64.b64encode(data).decode()},
        lambda data: {"body": base64.encodebytes(data).decode()},
        lambda data: {"body": "data:image/png;base64," + base64.b64encode(data).decode()},
        lambda data: {"body": {"data": base64.b64encode(data).decode()}},
        lambda data: {"body": {"body": base64.b64encode(data).decode()}},
    ],
    ids=["data", "body", "memoryview", "base64", "base64 lines", "data: URI", "JSON data", "JSON body"],
)
def test_each_way_to_send_an_image_is_read(wrap, handler):
    (image,) = handler.preprocess([wrap(encode(PICTURE, "PNG"))])
    assert (image[:, 8, 8] * 255).tolist() == [255, 0, 0]


def test_nested_lists_are_a_tensor(handler):
    batch = handler.preprocess([{"body": [[[1, 2], [3, 4]]]}])
    assert batch.dtype == torch.float32
    assert batch.tolist() == [[[[1, 2], [3, 4]]]]


def png_header(width: int, height: int) -> bytes:
    """The start of a PNG file of a size (format: PNG specification, 11.2.2), without its pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1 << 20) + b"IDAT"


@pytest.mark.parametrize(
    ("row", "status", "message"),
    [
        ({"data": b""}, 400, "0 bytes received are not an image"),
        ({"data": b"no image"}, 400, "8 bytes received are not an image"),
        ({"data": encode(PICTURE, "PNG")[:60]}, 400, "damaged"),
        ({"data": encode(PICTURE, "JPEG")[:200]}, 400, "damaged|not an image"),
        ({"data": "not base64!"}, 400, "neither base64 nor a data: URI"),
        ({"data": [[1, 2], [3]]}, 400, "nested lists cannot be read as a tensor"),
        ({"data": [["a"]]}, 400, "nested lists cannot be read as a tensor"),
        ({}, 400, 'neither "data" nor "body"'),
        ({"body": {"image": "aGk="}}, 400, 'neither "data" nor "body"'),
        ({"data": png_header(40_000, 40_000)}, 413, "too large"),
    ],
)
def test_what_is_no_image_is_named_with_its_row(row, status, message, handler):
    good = {"data": encode(PICTURE, "PNG")}
    with pytest.raises(RowErrors, match=message) as raised:
        handler.preprocess([good, row, good])
    assert {index: error.error_code for index, error in raised.value.errors.items()} == {1: status}


def test_images_are_read_at_the_same_time_and_answered_in_order(handler):
    ImageBatches.of(handler).threads = 4
    greys = list(range(0, 250, 10))
    rows = [{"data": encode(Image.new("L", (8, 8), grey), "PNG")} for grey in greys]
    assert (handler.preprocess(rows)[:, 0, 0, 0] * 255).round().tolist() == greys


def test_a_subclass_transforms_in_the_order_of_the_rows_and_in_the_callers_thread(handler):
    seen = []

    def transform(image):
        seen.append((image.getpixel((0, 0)), threading.get_ident()))
        return torch.zeros(1)

    ImageBatches.of(handler).threads = 4
    handler.image_processing = transform
    greys = list(range(0, 250, 10))
    handler.preprocess([{"data": encode(Image.new("L", (8, 8), grey), "PNG")} for grey in greys])
    assert seen == [(grey, threading.get_ident()) for grey in greys]


def test_pixels_and_nested_lists_share_a_batch(handler):
    rows = [{"data": encode(PICTURE, "JPEG")}, {"data": torch.full((3, 32, 32), 7.0).tolist()}]
    batch = handler.preprocess(rows)
    assert batch.dtype == torch.float32
    assert batch[0].max() <= 1
    assert (batch[1] == 7).all()
