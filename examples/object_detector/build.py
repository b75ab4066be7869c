"""Packs YOLOv3-tiny, with its COCO weights and labels, into yolov3_tiny.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.object_detector.archive")
