"""Images as clients send them, decoded to what a model takes."""

from __future__ import annotations

import io
import warnings
from http import HTTPStatus
from typing import Any, Union

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ts.handler_utils.errors import DATA_ERRORS, InvalidInput
from ts.handler_utils.requests.numbers import read_numbers
from ts.handler_utils.requests.payload import encoded_bytes

Encoded = Union[bytes, bytearray, memoryview]

# Images of more than half of what is allowed are nothing to warn of. Once for all, since to change the filters for
# the time of a call would change them for other threads too.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_image(
    payload: Any, *, exif: bool = True, max_pixels: int | None = None
) -> Image.Image | torch.Tensor:
    """Reads one request's image.

    Args:
        payload: an encoded image (bytes, base64 text, a `data:` URI), or nested lists of numbers.
        exif: whether to turn the image upright, as its EXIF orientation says.
        max_pixels: width times height of the largest image that is decoded; None for Pillow's own limit.

    Returns:
        An image of the mode that it was sent in; or, for nested lists, a float32 tensor of the lists' shape.

    Raises:
        InvalidInput: it is no image, a broken one (400), or too large to decode (413).
    """
    data = encoded_bytes(payload)
    if data is None:
        return read_nested_lists(payload)
    return decode_image(data, exif=exif, max_pixels=max_pixels)


def read_nested_lists(payload: Any, channels: int | None = None) -> torch.Tensor:
    """A model's input, float32, as JSON holds it: nested lists of finite numbers.

    Args:
        payload: what was sent.
        channels: of the model's input [channels, height, width]; None where its shape is not known.

    Raises:
        InvalidInput: it is something else.
    """
    values = read_numbers(payload, torch.float32)
    if channels is not None and (values.dim() != 3 or len(values) != channels):
        raise InvalidInput(
            f"The nested lists are of shape {list(values.shape)}, and the model takes [{channels}, height, width]"
        )
    return values


def decode_image(
    data: Encoded, *, exif: bool = True, max_pixels: int | None = None, least_side: int | None = None
) -> Image.Image:
    """Decodes an image of any format that Pillow opens; of an animation, the first frame.

    Args:
        data: the encoded image.
        exif: whether to turn the image upright, as its EXIF orientation says.
        max_pixels: see `open_image`.
        least_side: lets the decoder of JPEG leave out detail, as long as both sides keep so many pixels.

    Raises:
        InvalidInput: no image, a broken one (400), or one of too many pixels (413).
    """
    image = open_image(data, max_pixels)
    try:
        if least_side is not None:
            image.draft(None, (least_side, least_side))  # only JPEG's decoder can, others do nothing
        image.load()
        if exif:
            ImageOps.exif_transpose(image, in_place=True)  # a copy would lose its format and its other frames
    except DATA_ERRORS as error:
        raise InvalidInput(f"The image is damaged: {error}") from error
    return image


def open_image(data: Encoded, max_pixels: int | None = None) -> Image.Image:
    """Reads the header of an image of any format that Pillow opens.

    Args:
        data: the encoded image.
        max_pixels: width times height of the largest image that is decoded; a larger one is refused by its
            header. None for Pillow's own limit, twice `PIL.Image.MAX_IMAGE_PIXELS`, which always holds.

    Raises:
        InvalidInput: no image, a broken one (400), or one of too many pixels (413).
    """
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise InvalidInput(f"The image is too large: {error}", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise InvalidInput(f"The {len(data)} bytes received are not an image of a known format") from error
    except DATA_ERRORS as error:
        raise InvalidInput(f"The image is damaged: {error}") from error
    width, height = image.size
    if max_pixels is not None and width * height > max_pixels:
        message = f"The image is too large: {width}x{height} pixels, and at most {max_pixels} are allowed"
        raise InvalidInput(message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return image


def to_channels(image: Image.Image, channels: int) -> Image.Image:
    """Converts an image of any Pillow mode to 8-bit RGB (3 channels) or grey (1).

    16-bit and float values are scaled to [0, 255]. An alpha channel is dropped, as the usual training pipelines
    do.
    """
    mode = "L" if channels == 1 else "RGB"
    if image.mode == "F" or image.mode.startswith("I"):
        image = _to_8_bit(image)
    return image if image.mode == mode else image.convert(mode)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Float images hold [0, 1] or [0, 255]; integer ones 16 bits, unless all their values fit in 8."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    largest = values.max(initial=0)
    if image.mode == "F" and largest <= 1:
        values *= 255
    elif largest > 255:
        values /= 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """The values of an 8-bit image, grey or RGB, as uint8 [C, H, W]."""
    values = torch.from_numpy(np.array(image))
    return values[None] if values.dim() == 2 else values.permute(2, 0, 1)


def encode_png(image: Image.Image) -> bytes:
    """Encodes an image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def encode_jpeg(image: Image.Image) -> bytes:
    """Encodes an image as JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()
