"""Requests to a served model, as lines for a shell."""

from __future__ import annotations

import shlex
from typing import Optional
from urllib.parse import quote

from model_archiver.model_packaging import model_handlers

# One grey pixel (PNG, base64), so that the line works without a photo at hand.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg=="
SENTENCE = "The home team won the cup final in extra time."
JSON = ("Content-Type: application/json", f'{{"data": "{PIXEL}"}}')
TEXT = ("Content-Type: text/plain", SENTENCE)
SHOWN = 1000  # bytes of an answer; a mask, with its two numbers a pixel, has too many for a terminal


def example_request(url: str, name: str, handler: str) -> Optional[str]:
    """A curl command that works as it is, and shows how the answer begins; None where only the model tells.

    Args:
        url: Of the inference API.
        name: The model's name.
        handler: The manifest's `handler`, whose kind of data is sent: a pixel, or a sentence.
    """
    kind = model_handlers.get(handler, "text")
    if kind == "anything":
        return None
    header, data = JSON if kind == "vision" else TEXT
    return (
        f"{shlex.join(['curl', '-s', prediction_url(url, name), '-H', header, '-d', data])} | head -c {SHOWN}"
    )


def file_request(url: str, name: str) -> str:
    """A curl command that sends a file, which the user has yet to name."""
    return f"curl {prediction_url(url, name)} -T FILE"


def prediction_url(url: str, name: str) -> str:
    return f"{url}/predictions/{quote(name)}"
