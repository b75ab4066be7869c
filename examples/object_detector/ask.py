"""Asks YOLOv3-tiny what is where in a photo."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.object_detector.example")
