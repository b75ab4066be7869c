"""Trains a BERT to tell topics of news, and packs the folder that transformers saves into minilm_news.mar."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.hugging_face.archive", "transformers")
