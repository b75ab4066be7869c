"""How far a job is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Callable, Optional

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ts.runner.batch.row import Row

SECONDS_OF_A_LINE = 30

Told = Callable[[Sequence[Row]], None]


class Pace:
    """Counts what is answered, and how fast.

    Args:
        total: The files of the job.
        before: Those that were answered when this run began.
        clock: Seconds.

    Attributes:
        done: The files with an answer.
        refused: Those that this run has answered with another status than 200.
    """

    def __init__(self, total: int, before: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        self.done = before
        self.refused = 0
        self._before = before
        self._clock = clock
        self._begun = clock()
        self._first: Optional[tuple[int, float]] = None  # what was done when the first answers came, and when

    def add(self, rows: Sequence[Row]) -> None:
        self.done += len(rows)
        self.refused += sum(row.status != 200 for row in rows)
        self._first = self._first or (self.done, self._clock())

    @property
    def new(self) -> int:
        """Files that this run has answered."""
        return self.done - self._before

    @property
    def seconds(self) -> float:
        """Since the beginning of this run."""
        return self._clock() - self._begun

    @property
    def rate(self) -> Optional[float]:
        """Files per second since the first answers came; None until there are more."""
        if self._first is None or self.done == self._first[0]:
            return None
        return (self.done - self._first[0]) / (self._clock() - self._first[1])

    def __str__(self) -> str:
        """E.g. "68 files/s, 1 min left, 3 refused"."""
        parts = []
        if self.rate:
            parts = [f"{self.rate:.3g} files/s", f"{duration((self.total - self.done) / self.rate)} left"]
        return ", ".join([*parts, *([f"{self.refused:,} refused"] if self.refused else [])])


def duration(seconds: float) -> str:
    """E.g. "40 s", "12 min", "3 h 5 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def shown_progress(console: Console, pace: Pace) -> Iterator[Told]:
    """Shows it for the time of a `with` block; what that yields is to be told of the rows that are new."""
    if not console.is_terminal:
        yield lines(console, pace)
        return
    columns = TextColumn("answering"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting Ray", total=pace.total, completed=pace.done)

        def told(rows: Sequence[Row]) -> None:
            pace.add(rows)
            progress.update(task, completed=pace.done, description=str(pace))

        yield told


def lines(console: Console, pace: Pace) -> Told:
    last = pace.seconds

    def told(rows: Sequence[Row]) -> None:
        nonlocal last
        pace.add(rows)
        if pace.seconds - last >= SECONDS_OF_A_LINE:
            last = pace.seconds
            parts = [f"{pace.done:,} of {pace.total:,} files", *filter(None, [str(pace)])]
            console.print(", ".join(parts), highlight=False, soft_wrap=True)

    return told
