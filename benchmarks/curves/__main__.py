"""Draws how rate, p99 and memory grow: with batches, photos, classes, texts, workers and archives.

    python -m benchmarks.curves [--upstream FOLDER] [--only NAME ...] [--whole] [--json FILE [--resume]]
                                [--plots FOLDER] [--readme] [--quick]

Run in the repository's folder, whose library is installed (`pip install -e .`). FOLDER is as for
benchmarks/handlers.py. Takes a quarter of an hour on two quiet cores, 8 GB of disk and of memory; with
`--whole`, which goes on to archives of 8 GiB, some minutes more, 45 GB of disk and 20 GB of memory. Nothing is
downloaded. With `--resume` the curves that are in the file already are not measured again; where all are, plots
and tables are made of it anew.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.curves.asking import Plan, measure, rehearsal
from benchmarks.curves.cases import curves
from benchmarks.curves.curve import Curve
from benchmarks.curves.page import exponents, markdown, notes, pages
from benchmarks.curves.plots import plot_all, points_of
from benchmarks.measuring.in_turn import say
from benchmarks.measuring.machine import describe
from benchmarks.report import with_tables
from benchmarks.results import Report, read
from benchmarks.workers.processes import upstream_of

NAME = "curves"


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    known = curves(options.whole)
    plan = Plan(options.upstream, options.seed)
    if options.quick:
        plan = rehearsal(plan)
    report = Report(NAME, {**describe(plan.seed, plan.rounds), "command": command(options)}, [])
    if options.resume and options.json and options.json.is_file():
        report = read(options.json)
    wanted = [curve for curve in known if not options.only or curve.name in options.only]
    for curve in wanted:
        if not points_of(report, curve):
            measure_one(curve, plan, report, options.json)
    if options.plots:
        plot_all(report, known, options.plots)
    if options.readme:
        for page, tables in pages(report, known).items():
            page.write_text(with_tables(page.read_text(encoding="utf-8"), NAME, tables), encoding="utf-8")
    print(markdown(report, known))
    if failed := [curve.name for curve in wanted if not points_of(report, curve)]:
        sys.exit(f"failed, and to be measured by --resume: {', '.join(failed)}")
    return report


def measure_one(curve: Curve, plan: Plan, report: Report, file: Optional[Path]) -> None:
    """Adds a curve to the report and its file; one that fails is said, and left to a `--resume`."""
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="curves-benchmark-") as folder:
            points = measure(curve, plan, Path(folder))
    except Exception:  # of whatever its archives and inputs are drawn with
        say(f"{curve.name} FAILED, the others go on:\n{traceback.format_exc()}")
        return
    report.cases += points
    if file:  # after each: a machine may be taken away
        report.write(file)
    for row in (*exponents(curve, points), *notes(curve, points)):
        say(f"  {row if isinstance(row, str) else ' | '.join(row)}")
    say(f"{curve.name} took {time.monotonic() - start:.0f} s")


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Draws how rate, p99 and memory grow.")
    parser.add_argument(
        "--upstream", type=Path, help="of an unpacked torchserve wheel; default: the installed"
    )
    names = [curve.name for curve in curves()]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--whole", action="store_true", help="archives of up to 8 GiB: 45 GB of disk")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--resume", action="store_true", help="leave out the curves that are in that file")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="for the plots; needs matplotlib")
    parser.add_argument(
        "--readme", action="store_true", help="put the tables into benchmarks/README.md and docs/speed.md"
    )
    parser.add_argument("--quick", action="store_true", help="two values of each curve, to try the script")
    options = parser.parse_args(arguments)
    options.upstream = upstream_of(options, parser)
    return options


def command(options: argparse.Namespace) -> str:
    return (
        f"python -m benchmarks.curves{' --whole' if options.whole else ''} --upstream {options.upstream.name}"
    )


if __name__ == "__main__":
    main()
