"""Images that strangers send: those of the benchmark."""

from benchmarks.strangers.images import *  # noqa: F403
