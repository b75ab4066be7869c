"""Checks the whole project with one command: style, types, tests and the examples."""

import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(__file__, "..")))

from examples.start import run

if __name__ == "__main__":
    run("examples.sanity")
