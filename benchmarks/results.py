"""What a benchmark found, as it is written to JSON and read back."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional


@dataclass
class Figures:
    """What one contender of a case did.

    Attributes:
        name: the contender.
        rows: images, texts or requests that it answered in one run.
        seconds: of one run, one value a round.
        missing: why there are no figures, if there are none.
        answer_bytes: mean size of an answer, where answers are encoded.
        agreement: how its answers differ from torchserve's.
        agrees: whether they are the same within the exactness promised; None where they need not be.
        memory: the most megabytes that one of its processes had in memory at a time, with all that it shares.
        first: seconds of a first start, which may make what later ones find made; None where starts are not timed.
        more: further medians by their names and units, e.g. {"p50 ms": 12.3}.
        notes: what a reader should know.
    """

    name: str
    rows: int
    seconds: list[float] = field(default_factory=list)
    missing: Optional[str] = None
    answer_bytes: Optional[float] = None
    agreement: Optional[str] = None
    agrees: Optional[bool] = None
    memory: Optional[float] = None
    first: Optional[float] = None
    more: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def rate(self) -> float:
        """Rows a second, by the median."""
        return self.rows / self.median

    @property
    def quartiles(self) -> tuple[float, float]:
        """Of the seconds."""
        return quartiles(self.seconds)


@dataclass
class Finding:
    """A ratio that was aimed at.

    Attributes:
        text: what is compared.
        value: the ratio of the medians.
        low: first quartile of the ratios of single rounds.
        high: the third.
        least: the smallest value that meets the target.
        most: the largest.
    """

    text: str
    value: float
    low: float
    high: float
    least: Optional[float] = None
    most: Optional[float] = None

    @property
    def met(self) -> Optional[bool]:
        """Whether the target is met; None where there is none."""
        if self.least is None and self.most is None:
            return None
        return not (
            (self.least is not None and self.value < self.least)
            or (self.most is not None and self.value > self.most)
        )

    @property
    def target(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"


@dataclass
class CaseResult:
    """A case's title, the unit of its rows, its contenders in order, and its ratios."""

    name: str
    title: str
    unit: str
    figures: list[Figures]
    findings: list[Finding]


@dataclass
class Report:
    """A whole run.

    Attributes:
        name: of the benchmark, which names its tables in README.md too.
        machine: what it ran on, by `benchmarks.measuring.machine.describe`.
        cases: what it found.
    """

    name: str
    machine: dict[str, Any]
    cases: list[CaseResult]

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> Report:
    """Reads a report that `Report.write` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    cases = [
        CaseResult(
            case["name"],
            case["title"],
            case["unit"],
            [Figures(**figures) for figures in case["figures"]],
            [Finding(**finding) for finding in case["findings"]],
        )
        for case in content["cases"]
    ]
    return Report(content["name"], content["machine"], cases)


def quartiles(values: list[float]) -> tuple[float, float]:
    """The first and the third, of one value or more."""
    if len(values) < 2:
        return values[0], values[0]
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return first, third
