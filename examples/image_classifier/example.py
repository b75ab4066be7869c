"""Asks EfficientNet-Lite0 what is in two photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from rich.console import Group

from examples.assets import CHELSEA, COFFEE
from examples.example import Example, Outcome, responses, show
from examples.pictures import draw_best_class
from examples.views import probability_table
from ts.runner import Model


def ask(model: Model, photos: Sequence[Path]) -> Outcome:
    """The five best classes of each photo; the best one is written onto it."""
    answers = responses(model, photos)
    return Outcome(
        Group(*(probability_table(photo.name, answer) for photo, answer in zip(photos, answers))),
        {photo.name: draw_best_class(Image.open(photo), answer) for photo, answer in zip(photos, answers)},
    )


EXAMPLE = Example(
    "image_classifier",
    "efficientnet_lite0",
    "EfficientNet-Lite0 says what is in a photo",
    (CHELSEA, COFFEE),
    ask,
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
