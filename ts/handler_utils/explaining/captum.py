"""What explanations of images and of texts share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ts.handler_utils.errors import InvalidInput
from ts.utils.util import PredictionException


def import_captum() -> Any:
    """captum's module `attr`, which takes too long to import for handlers that are never asked to explain.

    Raises:
        PredictionException: 501, it is not installed.
    """
    try:
        import captum.attr
    except ImportError as error:
        message = "Explanations need captum: pip install 'torchserve-handlers[explain]'"
        raise PredictionException(message, HTTPStatus.NOT_IMPLEMENTED) from error
    return captum.attr


def unexplainable(why: str) -> InvalidInput:
    """The error of asking for explanations of a model that cannot be explained."""
    return InvalidInput(f"The model cannot be explained: {why}")
