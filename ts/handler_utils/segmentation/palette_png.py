"""Class maps as palette PNGs, the form in which segmentation masks are commonly stored."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.pictures.palette import Colour

COLOURS = 256


def encode_palette_png(classes: np.ndarray, palette: Sequence[Colour]) -> bytes:
    """Encodes class indexes as an 8-bit palette PNG: a pixel's value is its class, the palette gives its colour.

    Args:
        classes: integers [H, W] in [0, 255].
        palette: the colours of all 256 values. (With fewer, Pillow would write fewer than 8 bits a pixel.)

    Raises:
        InvalidInput: a class index is above 255.
    """
    if classes.max(initial=0) >= COLOURS:
        raise InvalidInput(f"A palette PNG holds class indexes below {COLOURS}: ask for format json or rle")
    image = Image.fromarray(classes.astype(np.uint8, copy=False))
    image.putpalette([value for colour in palette for value in colour])
    buffer = io.BytesIO()
    # Masks are long runs: to look for nothing else takes a fifth of the time, and fewer bytes.
    image.save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()
