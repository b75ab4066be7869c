"""Keeps a program's standard output clean while handlers, which like to print, run in its process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TextIO


@contextlib.contextmanager
def output_to_stderr() -> Iterator[TextIO]:
    """Sends everything that is written to standard output, by C code and child processes too, to stderr.

    Yields:
        The real standard output.
    """
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace") as stdout:
        os.dup2(2, 1)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield stdout
        finally:
            stdout.flush()
            os.dup2(stdout.fileno(), 1)
