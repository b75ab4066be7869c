"""A progress bar, on terminals only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .integrity import Advance, no_progress


@contextmanager
def progress(description: str, total: int) -> Iterator[Advance]:
    """Shows how far a step is, if standard error is a terminal and `rich` is installed.

    Args:
        description: The step's name.
        total: Bytes that the step has to do.

    Yields:
        A function to call with the number of bytes just done.
    """
    if not (sys.stderr and sys.stderr.isatty()):
        yield no_progress
        return
    try:
        from rich import progress as bars
        from rich.console import Console
    except ImportError:
        yield no_progress
        return
    columns = ("{task.description}", bars.BarColumn(), bars.DownloadColumn(), bars.TransferSpeedColumn())
    with bars.Progress(*columns, bars.TimeRemainingColumn(), console=Console(stderr=True)) as display:
        task = display.add_task(description, total=total)
        yield lambda done: display.advance(task, done)
