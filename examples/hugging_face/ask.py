"""Asks a BERT, packed as transformers saved it, what short news are about."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.hugging_face.example", "transformers")
