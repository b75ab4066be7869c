"""Packs EfficientNet-Lite0, with its ImageNet weights and labels, into efficientnet_lite0.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.image_classifier.archive")
