"""From a fresh machine to real networks' answers about real photos and texts."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "../..")))

from examples.start import run

if __name__ == "__main__":
    run("examples.tour_options")
