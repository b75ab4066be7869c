"""How many pixels the masks and pictures in an answer may have."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput


def check_answer_pixels(handler: Any, height: int, width: int, way_out: str = "", *, cost: int = 1) -> None:
    """Refuses an answer by the pixels of what it shows.

    Args:
        handler: whose setting `max_answer_pixels` holds.
        height: of the mask or picture.
        width: of the mask or picture.
        way_out: what the client can ask for in its place: "ask for size model, ".
        cost: how many times the pixels count.

    Raises:
        InvalidInput: it has more pixels (413).
    """
    most = getattr(Configuration.of(handler).settings, "max_answer_pixels", None)
    if most is not None and height * width * cost > most:
        counted = f", which count {cost} times in its format" if cost > 1 else ""
        raise InvalidInput(
            f"The answer is too large: {width}x{height} pixels{counted}, and max_answer_pixels is {most}:"
            f" {way_out}send a smaller photo, or raise handler.max_answer_pixels in model-config.yaml",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
