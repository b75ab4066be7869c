"""Packs all-MiniLM-L6-v2, a saved model of sentence-transformers, into minilm.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.embedder.archive", "transformers")
