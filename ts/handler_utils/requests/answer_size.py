"""How many bytes an answer may have, and what is said of one that would have more."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.worker import attributes_of

DEFAULT_LIMIT = 6_553_500
"""TorchServe's default `max_response_size`, beyond which its frontend ends the connection to the worker."""


def answer_limit(handler: Any) -> int:
    """The most bytes that an answer of a handler may have."""
    settings = attributes_of(handler).get("settings")
    return getattr(settings, "max_answer_bytes", None) or DEFAULT_LIMIT


def check_answer_size(handler: Any, size: int, way_out: str) -> None:
    """Refuses an answer that is too large, or will be at the least.

    Args:
        handler: who answers.
        size: bytes of the answer, or as many as it will have at the least.
        way_out: what the client can ask for in its place: "ask for format png or rle".

    Raises:
        InvalidInput: it has more bytes than `answer_limit` (413).
    """
    limit = answer_limit(handler)
    if size > limit:
        raise InvalidInput(
            f"The answer is too large: {size} bytes or more, and max_answer_bytes is {limit}: {way_out}, or raise"
            " handler.max_answer_bytes in model-config.yaml and max_response_size in config.properties",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )
