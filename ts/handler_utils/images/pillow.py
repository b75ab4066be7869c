"""Images as clients send them, decoded to what a model takes."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Union

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.eight_bits import to_8_bit
from ts.handler_utils.images.formats import known_formats, marked_format
from ts.handler_utils.images.limits import ImageLimits, pillow_refuses
from ts.handler_utils.requests.numbers import read_numbers
from ts.handler_utils.requests.payload import encoded_bytes

logger = logging.getLogger(__name__)

Encoded = Union[bytes, bytearray, memoryview]

DEFAULT_LIMITS = ImageLimits()
_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4

# Images of more than half of what is allowed are nothing to warn of. Once for all, since to change the filters for
# the time of a call would change them for other threads too. What is wrong with a file is its client's concern,
# and Python would remember each such warning, since their texts differ.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def read_image(
    payload: Any, *, exif: bool = True, limits: ImageLimits = DEFAULT_LIMITS
) -> Image.Image | torch.Tensor:
    """Reads one request's image.

    Args:
        payload: an encoded image (bytes, base64 text, a `data:` URI), or nested lists of numbers.
        exif: whether to turn the image upright, as its EXIF orientation says.
        limits: of what is decoded.

    Returns:
        An image of the mode that it was sent in; or, for nested lists, a float32 tensor of the lists' shape.

    Raises:
        InvalidInput: it is no image, a broken one (400), or too large to decode (413).
    """
    data = encoded_bytes(payload)
    if data is None:
        return read_nested_lists(payload)
    return decode_image(data, exif=exif, limits=limits)


def read_nested_lists(payload: Any, dimensions: int | None = None) -> torch.Tensor:
    """A model's input, float32, as JSON holds it: nested lists of finite numbers.

    Args:
        payload: what was sent.
        dimensions: of the tensor; None where they are not known.

    Raises:
        InvalidInput: it is something else.
    """
    values = read_numbers(payload, torch.float32)
    if dimensions not in (None, values.dim()):
        raise InvalidInput(
            f"The nested lists are of shape {list(values.shape)}, and the model takes [channels, height, width]"
        )
    return values


def decode_image(
    data: Encoded,
    *,
    exif: bool = True,
    limits: ImageLimits = DEFAULT_LIMITS,
    least_side: int | None = None,
) -> Image.Image:
    """Decodes an image; of an animation, the first frame.

    Args:
        data: the encoded image.
        exif: whether to turn the image upright, as its EXIF orientation says.
        limits: of what is decoded.
        least_side: lets the decoder of JPEG leave out detail, as long as both sides keep so many pixels.

    Raises:
        InvalidInput: no image, a broken one (400), or one of too many pixels (413).
    """
    image = open_image(data, limits.formats)
    limits.check_image(data, image)
    with _clients_faults():
        if least_side is not None:
            image.draft(None, (least_side, least_side))  # only JPEG's decoder can, others do nothing
        image.load()
    if exif:
        _turn_upright(image)
    return image


def open_image(data: Encoded, formats: Sequence[str]) -> Image.Image:
    """Reads the header of an image, of one of these formats.

    Raises:
        InvalidInput: no image, a broken one (400), or one of more pixels than Pillow opens (413).
    """
    try:
        with _clients_faults():
            return Image.open(io.BytesIO(data), formats=known_formats(formats))
    except Image.DecompressionBombError as error:
        raise pillow_refuses(str(error)) from error
    except UnidentifiedImageError as error:
        found = marked_format(data)
        if found is None or found in formats:
            message = f"The {len(data)} bytes received are not an image of a known format"
        else:
            message = (
                f"The image is of the format {found}, and handler.formats in model-config.yaml has only"
                f" {', '.join(formats)}: send one of these, or add it"
            )
        raise InvalidInput(message) from error


def read_orientation(image: Image.Image) -> int:
    """How an image is to be turned, as EXIF numbers it: 1, upright, unless it says otherwise."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
        return int(found) if found in range(2, 9) else 1
    except MemoryError:
        raise
    except Exception:  # EXIF that cannot be read says nothing
        return 1


def _turn_upright(image: Image.Image) -> None:
    """Turns an image in place: a copy would lose its format and its other frames."""
    if read_orientation(image) == 1:
        return
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception as error:  # the image is turned by then: what it cannot write is the EXIF without
        logger.debug("EXIF cannot be written again: %s", error)


@contextmanager
def _clients_faults() -> Iterator[None]:
    """Whatever Pillow raises while it reads the bytes of a client is the client's fault, lack of memory aside."""
    try:
        yield
    except (MemoryError, UnidentifiedImageError, Image.DecompressionBombError):
        raise
    except Exception as error:
        raise InvalidInput(f"The image is damaged: {error or type(error).__name__}") from error


def to_channels(image: Image.Image, channels: int) -> Image.Image:
    """Converts an image of any Pillow mode to 8-bit RGB (3 channels) or grey (1).

    16-bit and float values are scaled to [0, 255]. An alpha channel is dropped, as the usual training pipelines
    do.
    """
    mode = "L" if channels == 1 else "RGB"
    image = to_8_bit(image)
    return image if image.mode == mode else image.convert(mode)


def to_tensor(image: Image.Image) -> torch.Tensor:
    """The values of an 8-bit image, grey or RGB, as uint8 [C, H, W]."""
    values = torch.from_numpy(np.array(image))
    return values[None] if values.dim() == 2 else values.permute(2, 0, 1)


def to_image(values: torch.Tensor) -> Image.Image:
    """An image of uint8 values [C, H, W], grey or RGB."""
    rows = values.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(rows[..., 0] if rows.shape[-1] == 1 else rows)


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
