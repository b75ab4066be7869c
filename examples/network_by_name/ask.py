"""Asks a network of timm's about two photos, with the transform and the labels that timm knows of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import CHELSEA, COFFEE
from examples.example import Example, main
from examples.image_classifier.ask import ask

EXAMPLE = Example(
    "network_by_name",
    "lite0_by_name",
    "timm's tf_efficientnet_lite0: no code, no transform, no labels by hand",
    (CHELSEA, COFFEE),
    ask,
)

if __name__ == "__main__":
    sys.exit(main(EXAMPLE))
