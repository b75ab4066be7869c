"""What requests have cost, beside what they may: the tables of `benchmarks/hostile.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from benchmarks.strangers.archives import Archive
from benchmarks.strangers.trials import Answered

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Trial:
    """One request to one handler, and what became of it."""

    archive: Archive
    kind: str
    name: str
    way: str
    answered: Answered

    def fault(self) -> Optional[str]:
        """Why it is over its budget; None if it is not."""
        found = self.answered
        if found.status == 0:
            return found.message
        if found.status >= 500:
            return f"answers {found.status}: {found.message[:80]}"
        if found.seconds > self.archive.seconds:
            return f"{found.seconds:.1f} s, and {self.archive.seconds:g} s are the most"
        if found.megabytes > self.archive.megabytes:
            return f"{found.megabytes:.0f} MB, and {self.archive.megabytes:g} MB are the most"
        return None

    def label(self) -> str:
        return self.name if self.way == self.archive.ways[0].name else f"{self.name} ({self.way})"

    def figures(self) -> dict[str, Any]:
        """What is written to JSON."""
        place = {"handler": self.archive.name, "kind": self.kind, "name": self.name, "way": self.way}
        return {**place, **asdict(self.answered), "fault": self.fault()}


HEADINGS = ["handler", "kind", "requests", "CPU s, most", "of", "MB, most", "of", "answers", "over"]


def rows_of(trials: Iterable[Trial]) -> list[list[str]]:
    """One row a handler and kind, under `HEADINGS`: the dearest requests, and how many are over the budget."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.archive.name, trial.kind), []).append(trial)
    return [[*names, *cells(group)] for names, group in groups.items()]


def cells(group: Sequence[Trial]) -> list[str]:
    slowest = max(group, key=lambda trial: trial.answered.seconds)
    largest = max(group, key=lambda trial: trial.answered.megabytes)
    statuses = sorted({trial.answered.status for trial in group})
    counts = {status: sum(trial.answered.status == status for trial in group) for status in statuses}
    over = sum(trial.fault() is not None for trial in group)
    return [
        str(len(group)),
        f"{slowest.answered.seconds:.2f}",
        slowest.label(),
        f"{max(0.0, largest.answered.megabytes):.0f}",
        largest.label(),
        ", ".join(f"{status or 'none'}: {count}" for status, count in counts.items()),
        str(over) if over else "",
    ]


def faults(trials: Iterable[Trial]) -> list[list[str]]:
    """Each request that is over its budget: handler, kind, name, and why."""
    found = [(trial, trial.fault()) for trial in trials]
    return [
        [trial.archive.name, trial.kind, trial.label(), fault] for trial, fault in found if fault is not None
    ]
