"""Texts that strangers send: those of the benchmark."""

from benchmarks.strangers.texts import *  # noqa: F403
