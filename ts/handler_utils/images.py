"""Images as clients send them, decoded to what a model takes."""

from __future__ import annotations

import io
import warnings
from http import HTTPStatus
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ts.handler_utils.errors import DATA_ERRORS, InvalidInput
from ts.handler_utils.payload import decode_text_payload


def read_image(payload: Any) -> Image.Image | torch.Tensor:
    """Reads one request's image.

    Args:
        payload: an encoded image (bytes, base64 text, a `data:` URI), or nested lists of numbers.

    Returns:
        An upright 8-bit RGB image; or, for nested lists, a float32 tensor of the lists' shape.

    Raises:
        InvalidInput: it is no image, a broken one (400), or too large to decode (413).
    """
    if isinstance(payload, str):
        payload = decode_text_payload(payload)
    if isinstance(payload, (bytes, bytearray, memoryview)):
        return decode_image(payload)
    try:
        return torch.as_tensor(payload, dtype=torch.float32)
    except (*DATA_ERRORS, RuntimeError) as error:
        raise InvalidInput(f"The nested lists cannot be read as a tensor: {error}") from error


def decode_image(data: bytes | bytearray | memoryview) -> Image.Image:
    """Decodes an image of any format that Pillow opens to upright 8-bit RGB; of an animation, the first frame.

    The EXIF orientation is applied. An alpha channel is dropped, as the usual training pipelines do.

    Raises:
        InvalidInput: no image, a broken one (400), or one of more pixels than Pillow's limit (413).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
        return to_rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise InvalidInput(f"The image is too large: {error}", HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from error
    except UnidentifiedImageError as error:
        raise InvalidInput(f"The {len(data)} bytes received are not an image of a known format") from error
    except DATA_ERRORS as error:
        raise InvalidInput(f"The image is damaged: {error}") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image of any Pillow mode to 8-bit RGB; 16-bit and float values are scaled to [0, 255]."""
    if image.mode == "RGB":
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        image = _to_8_bit(image)
    return image.convert("RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Float images hold [0, 1] or [0, 255]; integer ones 16 bits, unless all their values fit in 8."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    largest = values.max(initial=0)
    if image.mode == "F" and largest <= 1:
        values *= 255
    elif largest > 255:
        values /= 257
    return Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
