"""Trains a classifier of Reuters news on eight topics, and packs it into reuters_r8.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.text_classifier.archive")
