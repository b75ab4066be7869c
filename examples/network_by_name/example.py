"""Asks a network of timm's about two photos, with the transform and the labels that timm knows of it."""

from __future__ import annotations

from examples.assets import CHELSEA, COFFEE
from examples.example import Example, show
from examples.image_classifier.example import ask

EXAMPLE = Example(
    "network_by_name",
    "lite0_by_name",
    "timm's tf_efficientnet_lite0: no code, no transform, no labels by hand",
    (CHELSEA, COFFEE),
    ask,
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
