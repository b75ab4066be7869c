"""Finds the sentences that questions are about, and the photos that pieces were cut out of."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.embedder.example", "transformers")
