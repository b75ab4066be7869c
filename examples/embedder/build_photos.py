"""Packs EfficientNet-Lite0 without its last layer into photo_vectors.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.embedder.photo_archive")
