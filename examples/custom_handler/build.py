"""Packs EfficientNet-Lite0 twice, with two handlers that are not the default ones."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.custom_handler.archive")
