"""Asks the two handlers of this folder about two photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from examples.assets import CHELSEA, COFFEE
from examples.example import Example, Outcome, responses, show
from examples.views import probability_table
from ts.runner import Model


def ask_cat_or_not(model: Model, photos: Sequence[Path]) -> Outcome:
    """How probable it is that each photo shows a cat."""
    answers = responses(model, photos)
    shown = {photo.name: answer["cat"] for photo, answer in zip(photos, answers)}
    return Outcome(probability_table("shows a cat", shown))


def ask_image_embedder(model: Model, photos: Sequence[Path]) -> Outcome:
    """How alike each photo is to the first: the cosine of the angle between their vectors."""
    vectors = np.array(responses(model, photos))
    cosines = dict(zip([photo.name for photo in photos], (vectors @ vectors[0]).tolist()))
    return Outcome(probability_table(f"is like {photos[0].name}", cosines))


PHOTOS = (CHELSEA, COFFEE)
CAT_OR_NOT = Example(
    "custom_handler",
    "cat_or_not",
    "ImageClassifier, with another answer: is it a cat?",
    PHOTOS,
    ask_cat_or_not,
)
IMAGE_EMBEDDER = Example(
    "custom_handler",
    "image_embedder",
    "BaseHandler, which answers with a vector",
    PHOTOS,
    ask_image_embedder,
)


def main() -> int:
    """Shows what they answer."""
    return show(CAT_OR_NOT, IMAGE_EMBEDDER)
