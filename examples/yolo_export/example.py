"""Asks an exported YOLO what is where in a photo."""

from __future__ import annotations

from examples.assets import COFFEE
from examples.example import Example, show
from examples.object_detector.example import ask

EXAMPLE = Example(
    "yolo_export", "yolov3_export", "a YOLO as it is exported says what is where", (COFFEE,), ask
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
