"""Asks YOLOv3-tiny what is where in a photo."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.console import Group

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import COFFEE
from examples.example import Example, Outcome, main, responses
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

if __name__ == "__main__":
    sys.exit(main(EXAMPLE))
