"""Asks YOLOv3-tiny what is where in a photo."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.console import Group

from examples.assets import COFFEE
from examples.example import Example, Outcome, responses, show
from examples.views import detection_table
from ts.runner import Model


def ask(model: Model, photos: Sequence[Path]) -> Outcome:
    """The bounding boxes of each photo, and the photo with the boxes on it."""
    answers = responses(model, photos)
    overlays = responses(model, photos, format="overlay")
    return Outcome(
        Group(*(detection_table(photo.name, answer) for photo, answer in zip(photos, answers))),
        {photo.name: Image.open(io.BytesIO(overlay)) for photo, overlay in zip(photos, overlays)},
    )


EXAMPLE = Example(
    "object_detector",
    "yolov3_tiny",
    "YOLOv3-tiny says what is where",
    (COFFEE,),
    ask,
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
