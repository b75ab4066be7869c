"""Asks EfficientNet-Lite0 what is in two photos."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.image_classifier.example")
