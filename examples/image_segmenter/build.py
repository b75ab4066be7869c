"""Packs U^2-Net-p, which tells objects from the background, into u2netp.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.image_segmenter.archive")
