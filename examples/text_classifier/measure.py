"""Asks the classifier of Reuters news about the documents that it was not trained on."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../../..")))

from examples.start import start

if __name__ == "__main__":
    start("examples.text_classifier.measuring")
