"""Packs a network of timm's, a module at hand, into lite0_by_name.mar; its weights come to lie beside it."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.network_by_name.archive", "timm")
