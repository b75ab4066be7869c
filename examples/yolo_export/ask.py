"""Asks an exported YOLO what is where in a photo."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import COFFEE
from examples.example import Example, main
from examples.object_detector.ask import ask

EXAMPLE = Example(
    "yolo_export", "yolov3_export", "a YOLO as it is exported says what is where", (COFFEE,), ask
)

if __name__ == "__main__":
    sys.exit(main(EXAMPLE))
