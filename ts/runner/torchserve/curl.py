"""Requests to a served model, as lines for a shell."""

from __future__ import annotations

import shlex
from urllib.parse import quote

# One grey pixel (PNG, base64), so that the line works without a photo at hand.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
IMAGE_HANDLERS = ("image_classifier", "image_segmenter", "object_detector")
SENTENCE = "The home team won the cup final in extra time."


def example_request(url: str, name: str, handler: str) -> str:
    """A curl command that works as it is.

    Args:
        url: Of the inference API.
        name: The model's name.
        handler: The manifest's `handler`, which decides what is sent: a pixel, or a sentence.
    """
    target = prediction_url(url, name)
    if handler in IMAGE_HANDLERS:
        command = ["curl", target, "-H", "Content-Type: application/json"]
        if (
            handler == "image_segmenter"
        ):  # whose default answer, two numbers a pixel, is too much for a terminal
            return shlex.join([*command, "-o", "mask.png", "-d", f'{{"format": "png", "data": "{PIXEL}"}}'])
        return shlex.join([*command, "-d", f'{{"data": "{PIXEL}"}}'])
    return shlex.join(["curl", target, "-H", "Content-Type: text/plain", "-d", SENTENCE])


def file_request(url: str, name: str) -> str:
    """A curl command that sends a file, which the user has yet to name."""
    return f"curl {prediction_url(url, name)} -T FILE"


def prediction_url(url: str, name: str) -> str:
    return f"{url}/predictions/{quote(name)}"
