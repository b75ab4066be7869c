"""Says what became slower from one run of a benchmark to another, by more than the noise.

    python benchmarks/compare.py OLD.json NEW.json [--least SHARE]

What is compared is each contender's time divided by that of its case's first contender (torchserve's own
handlers) in the same round, since two runs never find a machine equally fast. It has changed where the quartiles
of the old rounds and of the new do not touch, and the medians are at least SHARE apart. Ends with status 1 if
anything became slower.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.results import CaseResult, Figures, Report, quartiles, read

LEAST = 0.1  # two full runs of one day and one state of the code were up to so far apart
MACHINE = ("processor", "cores", "gpu", "python", "torch")


@dataclass(frozen=True)
class Change:
    """What became of one contender's time beside that of its case's first.

    Attributes:
        what: the case and the contender.
        verdict: "slower", "faster", "same", or "gone" where it has no figures any more.
        text: the figures, or why there are none.
    """

    what: str
    verdict: str
    text: str


def main() -> int:
    options = parse_arguments()
    old, new = read(options.old), read(options.new)
    for name in MACHINE:
        if old.machine.get(name) != new.machine.get(name):
            print(f"another {name}: {old.machine.get(name)}, now {new.machine.get(name)}")
    changes = list(compare(old, new, options.least))
    for change in changes:
        if change.verdict != "same":
            print(f"{change.verdict:>6}  {change.what}: {change.text}")
    verdicts = [change.verdict for change in changes]
    counts = ", ".join(f"{verdicts.count(each)} {each}" for each in ("slower", "faster", "gone", "same"))
    print(f"{len(changes)} compared: {counts}")
    return 1 if {"slower", "gone"} & {*verdicts} else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Says what became slower, by more than the noise.")
    parser.add_argument("old", type=Path, metavar="OLD.json", help="what a benchmark wrote")
    parser.add_argument("new", type=Path, metavar="NEW.json", help="what it wrote later")
    parser.add_argument(
        "--least", type=float, default=LEAST, metavar="SHARE", help="of the old time (default: %(default)s)"
    )
    return parser.parse_args()


def compare(old: Report, new: Report, least: float) -> Iterator[Change]:
    """What became of each contender that had figures in the old run, in the cases that the new run has.

    Args:
        old: the run to hold the other beside.
        new: another of the same benchmark.
        least: the share of the old time below which a change does not count.
    """
    cases = {case.name: case for case in new.cases}
    for before in old.cases:
        if after := cases.get(before.name):
            yield from compare_case(before, after, least)


def compare_case(old: CaseResult, new: CaseResult, least: float) -> Iterator[Change]:
    found = {figures.name: figures for figures in new.figures}
    for figures in old.figures[1:]:
        what = f"{old.name}, {figures.name}"
        if not (before := beside_the_first(old, figures)):
            continue
        now = found.get(figures.name)
        after = beside_the_first(new, now) if now else []
        if after:
            yield Change(what, verdict(before, after, least), shown(before, after, old.figures[0].name))
        else:
            yield Change(what, "gone", why_gone(now))


def why_gone(figures: Optional[Figures]) -> str:
    if figures is None:
        return "no contender of this name any more"
    return figures.missing or "the case's first contender has no figures"


def beside_the_first(case: CaseResult, figures: Figures) -> list[float]:
    """The contender's time for a row divided by the first contender's, of each round; empty if one has none."""
    first = case.figures[0]
    return [(mine / figures.rows) / (its / first.rows) for mine, its in zip(figures.seconds, first.seconds)]


def verdict(before: list[float], after: list[float], least: float) -> str:
    change = statistics.median(after) / statistics.median(before)
    (old_low, old_high), (new_low, new_high) = quartiles(before), quartiles(after)
    if change > 1 + least and new_low > old_high:
        return "slower"
    if change < 1 / (1 + least) and new_high < old_low:
        return "faster"
    return "same"


def shown(before: list[float], after: list[float], first: str) -> str:
    was, now = (
        f"{statistics.median(values):.3g} ({low:.3g} to {high:.3g})"
        for values, (low, high) in ((each, quartiles(each)) for each in (before, after))
    )
    return f"{now} of the time of {first}, was {was}"


if __name__ == "__main__":
    sys.exit(main())
