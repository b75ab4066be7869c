"""Asks U^2-Net-p which pixels of three photos are the object."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from examples.assets import ASTRONAUT, CHELSEA, COFFEE
from examples.example import Example, Outcome, responses, show
from examples.views import share_table
from ts.runner import Model


def ask(model: Model, photos: Sequence[Path]) -> Outcome:
    """The share of each photo that is object, by a mask of its size, and the photo with the object tinted."""
    masks = responses(model, photos, format="png", size="original")
    overlays = responses(model, photos, format="overlay", size="original")
    shares = {photo.name: object_share(mask) for photo, mask in zip(photos, masks)}
    pictures = {photo.name: Image.open(io.BytesIO(overlay)) for photo, overlay in zip(photos, overlays)}
    return Outcome(share_table(shares, "object"), pictures)


def object_share(png: bytes) -> float:
    """The share of a mask's pixels whose class index is 1, the object's."""
    return float(np.mean(np.asarray(Image.open(io.BytesIO(png))) == 1))


EXAMPLE = Example(
    "image_segmenter",
    "u2netp",
    "U^2-Net-p says which pixels are the object",
    (CHELSEA, COFFEE, ASTRONAUT),
    ask,
    curl=("-T", "{input}", "-H", "ts-format: overlay", "-o", "overlay.png"),
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
