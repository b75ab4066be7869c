"""Explanations of images as they are sent: numbers, or a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PIL import Image

from ts.handler_utils.answer_limit import check_answer_size
from ts.handler_utils.pictures.overlay_encoding import encode_overlay
from ts.handler_utils.requests.current import CurrentBatch

_FEWEST_BYTES = len("0.0,")  # of a number


def check_numbers(handler: Any, shape: Sequence[int], picture: str) -> None:
    """Refuses an explanation in numbers that would be too large, before it is made.

    Args:
        handler: who explains.
        shape: of the numbers.
        picture: the format of the explanation as a picture.

    Raises:
        InvalidInput: it would have more bytes than an answer may have (413).
    """
    check_answer_size(handler, _FEWEST_BYTES * math.prod(shape), f"ask for format {picture}")


def send_heatmap(handler: Any, index: int, heatmap: Image.Image) -> bytes:
    """A row's explanation as a PNG.

    Raises:
        InvalidInput: it has more bytes than an answer may have (413).
    """
    content, content_type = encode_overlay(heatmap, "PNG")
    check_answer_size(handler, len(content), "send a smaller image")
    CurrentBatch.of(handler).set_content_type(index, content_type)
    return content
