"""Asks a network of timm's about two photos, with the transform and the labels that timm knows of it."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.network_by_name.example", "timm")
