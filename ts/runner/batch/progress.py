"""How far a job is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Callable, Optional

from rich import progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from ts.runner.batch.row import Row

SECONDS_OF_A_LINE = 30


class Pace:
    """Counts what is answered, and how fast.

    Args:
        total: The files of the job.
        before: Those that were answered when this run began.
        clock: Seconds.
        ready: Whether answers can come at once, so that the time until the first ones is no start.

    Attributes:
        done: The files with an answer.
        refused: Those that this run has answered with another status than 200.
    """

    def __init__(
        self,
        total: int,
        before: int = 0,
        clock: Callable[[], float] = time.monotonic,
        *,
        ready: bool = False,
    ) -> None:
        self.total = total
        self.done = before
        self.refused = 0
        self._before = before
        self._clock = clock
        self._begun = clock()
        # What was done when the first answers came, and when.
        self._first: Optional[tuple[int, float]] = (before, self._begun) if ready else None

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
        """Files per second since the first answers came, or the start; None until there are more."""
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


class Progress:
    """Counts what is answered, and shows nothing of it."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace

    def told(self, rows: Sequence[Row]) -> None:
        """Takes rows that are new."""
        self.pace.add(rows)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Leaves the terminal to others for the time of a `with` block."""
        yield


class Lines(Progress):
    """A line now and then."""

    def __init__(self, pace: Pace, console: Console) -> None:
        super().__init__(pace)
        self._console = console
        self._last = pace.seconds

    def told(self, rows: Sequence[Row]) -> None:
        super().told(rows)
        if self.pace.seconds - self._last >= SECONDS_OF_A_LINE:
            self._last = self.pace.seconds
            parts = [
                f"{self.pace.done:,} of {self.pace.total:,} files",
                *filter(None, [str(self.pace)]),
            ]
            self._console.print(", ".join(parts), highlight=False, soft_wrap=True)


class Bar(Progress):
    """A bar at the bottom of a terminal."""

    def __init__(self, pace: Pace, console: Console, at_first: str) -> None:
        super().__init__(pace)
        columns = TextColumn("answering"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
        self.bar = progress.Progress(*columns, console=console, transient=True)
        self._task = self.bar.add_task(at_first, total=pace.total, completed=pace.done)

    def told(self, rows: Sequence[Row]) -> None:
        super().told(rows)
        self.bar.update(self._task, completed=self.pace.done, description=str(self.pace))

    @contextmanager
    def away(self) -> Iterator[None]:
        self.bar.stop()
        yield
        self.bar.start()


@contextmanager
def shown_progress(console: Console, pace: Pace, at_first: str = "") -> Iterator[Progress]:
    """Shows it for the time of a `with` block; what that yields is to be told of the rows that are new.

    Args:
        console: Of a terminal or not.
        pace: What is shown.
        at_first: What is said before the first answers come.
    """
    if pace.total == 1:
        yield Progress(pace)
    elif not console.is_terminal:
        yield Lines(pace, console)
    else:
        shown = Bar(pace, console, at_first)
        with shown.bar:
            yield shown
