"""What came of a comparison, for people and for programs."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ts.runner.comparing.difference import DIFFERS, SAME, WITHIN
from ts.runner.comparing.reasons import Reason
from ts.runner.comparing.verdict import NOT_READ, Verdict

MOST_ROWS = 50  # of the table
STYLES = {SAME: "green", WITHIN: "green", DIFFERS: "red", NOT_READ: "red"}
PAGE = "migrating"


@dataclass
class Report:
    """What was asked of whom, and what differs.

    Attributes:
        old, new: The sides, in words.
        tolerance: Of numbers.
        problem: Why a side could not be asked; None if both were.
        verdicts: One an input and way of asking it.
    """

    old: str
    new: str
    tolerance: float
    problem: Optional[str] = None
    verdicts: list[Verdict] = field(default_factory=list)

    def is_well(self, allow_known: bool = False) -> bool:
        """Whether all is the same, within the tolerance; or else, if that is allowed, differs by intent."""
        return self.problem is None and all(
            item.state in (SAME, WITHIN) or (allow_known and item.reason is not None)
            for item in self.verdicts
        )

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "old": self.old,
            "new": self.new,
            "tolerance": self.tolerance,
            "problem": self.problem,
            "counts": dict(self._counts()),
            "results": [row_of(item) for item in self.verdicts],
        }

    def view(self) -> RenderableType:
        """As people read it."""
        if self.problem is not None:
            return Text(self.problem)
        parts: list[RenderableType] = [table_of(self._told()[:MOST_ROWS])]
        left = len(self._told()) - MOST_ROWS
        if left > 0:
            parts.append(Text(f"and {left:,} more rows, which --json has"))
        parts.append(Text(self._summary()))
        reasons = {item.reason for item in self.verdicts if item.reason}
        rows = (
            f"{reason.text}: {link(reason)}" for reason in sorted(reasons, key=lambda found: found.anchor)
        )
        return Group(*parts, *(Text(f"  {row}", overflow="fold") for row in rows))

    def _told(self) -> list[Verdict]:
        """Input by input; what a batch says only where it is not what the input alone says."""
        alone = {item.input: item for item in self.verdicts if item.rows == 1}
        told = [item for item in self.verdicts if item.rows == 1 or not is_as(item, alone[item.input])]
        places = {name: place for place, name in enumerate(alone)}
        told.sort(key=lambda item: places[item.input])
        if len(told) > MOST_ROWS:
            told.sort(key=lambda item: item.state in (SAME, WITHIN))
        return told

    def _counts(self) -> Counter[str]:
        """How many inputs there are of each state, by the worst of each."""
        worst: dict[str, str] = {}
        order = [SAME, WITHIN, DIFFERS, NOT_READ]
        for item in self.verdicts:
            worst[item.input] = max(worst.get(item.input, SAME), item.state, key=order.index)
        return Counter(worst.values())

    def _summary(self) -> str:
        counts = self._counts()
        files = sum(counts.values())
        parts = [f"{counts[state]:,} {state}" for state in (SAME, WITHIN, DIFFERS, NOT_READ) if counts[state]]
        largest = max((item.largest for item in self.verdicts), default=0.0)
        lines = [f"{files:,} input{'s' * (files != 1)}: {', '.join(parts)}"]
        if largest:
            lines[0] += f"; numbers differ by up to {largest:.1e}, and the tolerance is {self.tolerance:g}"
        differing = [item for item in self.verdicts if item.state == DIFFERS]
        unexpected = {item.input for item in differing if item.reason is None}
        if differing:
            lines.append(
                f"of {len(unexpected):,} input{'s' * (len(unexpected) != 1)} no reason is known"
                if unexpected
                else "all that differs does so by intent:"
            )
        return "\n".join([f"{self.old} → {self.new}", *lines])


def is_as(item: Verdict, alone: Verdict) -> bool:
    return (item.state, item.how) == (alone.state, alone.how)


def table_of(verdicts: Sequence[Verdict]) -> Table:
    table = Table("Input", "Result", "How", "Why", show_lines=any(item.how for item in verdicts))
    for item in verdicts:
        name = item.input if item.rows == 1 else f"{item.input}, in a batch of {item.rows}"
        how = "\n".join(item.how) or (f"numbers by up to {item.largest:.1e}" if item.largest else "")
        reason = item.reason.text if item.reason else ""
        cells = [Text(name), Text(item.state, style=STYLES[item.state]), Text(how), Text(reason)]
        for cell in cells:
            cell.overflow = "fold"
        table.add_row(*cells)
    return table


def row_of(item: Verdict) -> dict[str, Any]:
    reason = item.reason
    return {
        "input": item.input,
        "batch": item.rows,
        "result": item.state,
        "statuses": list(item.statuses),
        "how": list(item.how),
        "largest": item.largest if item.largest != float("inf") else None,
        "why": reason and {"text": reason.text, "row": link(reason)},
    }


def link(reason: Reason) -> str:
    """Where the docs have a row of the table, by the address that this library's metadata know."""
    try:
        urls = importlib.metadata.metadata("torchserve-handlers").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        urls = []
    named = dict(url.split(", ", 1) for url in urls)
    home = named.get("Documentation")
    return f"{home}{PAGE}/#{reason.anchor}" if home else f"docs/{PAGE}.md#{reason.anchor}"
