"""Requests to a served model that suit it, as lines for a shell."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

# A cup of espresso, 300x200: CC0, by Rachel Michetti (scikit-image's coffee.png, scaled down). And a digit, 28x28,
# for the models that take one channel: most of them have learnt from MNIST.
PHOTO, DIGIT = (Path(__file__).with_name(name) for name in ("coffee.jpg", "seven.png"))
SENTENCE = "The home team won the cup final in extra time."
SENTENCES = {  # by words that a model's labels may have
    ("positive", "negative", "pos", "neg"): "A wonderful film, and a great evening.",
    ("crude", "oil"): "Oil prices rose after OPEC agreed to cut output.",
    ("toxic", "spam", "ham"): "Congratulations, you have won a free holiday: call now!",
}
MOST_NUMBERS = 64  # that a line holds
SHOWN = 1000  # bytes of an answer; a mask, with its two numbers a pixel, has too many for a terminal


def example_request(url: str, name: str, about: Mapping[str, Any]) -> Optional[str]:
    """A curl command that works as it is, and shows how the answer begins; None where only its maker knows one.

    Args:
        url: Of the inference API.
        name: The model's name.
        about: What its handler says of itself; see `ts.handler_utils.description`.
    """
    data = data_for(about)
    if data is None:
        return None
    if is_segmenter(about) and data[0] == "-T":
        picture = ["-H", "ts-format: overlay", "-o", f"{name}.jpg"]
        return shlex.join(["curl", "-s", prediction_url(url, name), *data, *picture])
    return f"{shlex.join(['curl', '-s', prediction_url(url, name), *data])} | head -c {SHOWN}"


def file_request(url: str, name: str) -> str:
    """A curl command that sends a file, which the user has yet to name."""
    return f"curl {prediction_url(url, name)} -T FILE"


def prediction_url(url: str, name: str) -> str:
    return f"{url}/predictions/{quote(name)}"


def data_for(about: Mapping[str, Any]) -> Optional[list[str]]:
    """What is sent, as arguments of curl, of the first kind that the handler takes and that is at hand."""
    payloads, row = about.get("payloads") or [], about.get("input")
    if any(payload.startswith("an encoded image") for payload in payloads):
        return ["-T", str(DIGIT if row and row[0] == 1 else PHOTO)]
    if any(payload.startswith("a text") for payload in payloads):
        return ["-H", "Content-Type: text/plain", "-d", sentence_for(about.get("labels") or {})]
    if payloads and row and all(row) and math.prod(row) <= MOST_NUMBERS:
        return ["-H", "Content-Type: application/json", "-d", json.dumps({"data": numbers(row)})]
    return None


def sentence_for(labels: Mapping[str, Any]) -> str:
    """A sentence that is about what one of the labels names."""
    words = {str(label).lower() for label in labels.values()}
    return next((text for about, text in SENTENCES.items() if words & {*about}), SENTENCE)


def numbers(shape: list[int]) -> Any:
    """Nested lists of a shape."""
    return [numbers(shape[1:]) for _ in range(shape[0])] if shape else 0.5


def is_segmenter(about: Mapping[str, Any]) -> bool:
    """Whether the answer is a number or two for each pixel, by default; a picture of them says more."""
    options = about.get("options") or {}
    return {"format", "size"} <= options.keys() and "overlay" in str(options["format"])
