"""Times the object detector beside torchserve's own, with each of torchvision's networks.

    python -m benchmarks.detecting [--upstream FOLDER] [--only NAME ...] [--rounds N] [--seed N]
                                   [--json FILE [--resume]] [--work FOLDER] [--readme] [--quick]

Run in the repository's folder. The first FOLDER is as for benchmarks/handlers.py; NAME is a network's, or that of
a case of it, such as fcos_resnet50_fpn/4. Takes minutes for each of the large ones, and 6 GB of memory.
Nothing is downloaded. With `--resume` cases that are in the file already are not measured again, and tables are
made of all. In `--work` archives and conversions stay, for cases that a later command with the same seed measures.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.cases import Case
from benchmarks.detecting.cases import FAMILY, chosen, is_start
from benchmarks.detecting.page import NAME, in_order, pages
from benchmarks.measuring.in_turn import Plan, measure, rehearsal, say
from benchmarks.measuring.machine import describe
from benchmarks.report import text, with_tables
from benchmarks.results import CaseResult, Report, read
from benchmarks.workers.processes import upstream_of

STARTS = 2  # of each contender, after its first


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    report = Report(NAME, {**describe(options.seed, options.rounds), "command": command(options)}, [])
    if options.resume and options.json and options.json.is_file():
        report = read(options.json)
    plan = Plan(options.upstream, "cpu", report.machine["rounds"], report.machine["seed"], batches=1)
    there = {case.name for case in report.cases}
    with (
        nullcontext(options.work) if options.work else tempfile.TemporaryDirectory(prefix=f"{NAME}-") as work
    ):
        for detector, case in chosen(options.only):
            if case.name not in there:
                folder = Path(work) / f"{detector.name}-{plan.seed}"
                report.cases.append(measured(case, rehearsal(plan) if options.quick else plan, folder))
                in_order(report)
                if options.json:  # after each case: a machine may be taken away
                    report.write(options.json)
    if options.readme:
        for page, tables in pages(report).items():
            page.write_text(with_tables(page.read_text(encoding="utf-8"), NAME, tables), encoding="utf-8")
    print(text(report))
    return report


def measured(case: Case, plan: Plan, folder: Path) -> CaseResult:
    """Measures a case of a network in the network's folder, which a start makes anew."""
    if is_start(case):
        shutil.rmtree(folder, ignore_errors=True)
        plan = replace(plan, rounds=min(plan.rounds, STARTS))
    folder.mkdir(parents=True, exist_ok=True)
    result = measure(case, plan, folder)
    for finding in result.findings:
        say(f"  {finding.text}: {finding.value:.2f} {finding.target}")
    return result


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Times the object detector with each of torchvision's networks."
    )
    parser.add_argument(
        "--upstream", type=Path, help="of an unpacked torchserve wheel; default: the installed"
    )
    names = [detector.name for detector in FAMILY]
    known = [*names, *(case.name for _, case in chosen([]))]
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=known,
        metavar="NAME",
        help=f"{', '.join(names)}; or a case of one of them: NAME/start, NAME/1 or NAME/4",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is timed (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--resume", action="store_true", help="leave out the cases that are in that file")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="for what a later command may need")
    parser.add_argument("--readme", action="store_true", help="put the tables into the pages that have them")
    parser.add_argument("--quick", action="store_true", help="one round of each, to try the script")
    options = parser.parse_args(arguments)
    options.upstream = upstream_of(options, parser)
    return options


def command(options: argparse.Namespace) -> str:
    return f"python -m benchmarks.detecting --rounds {options.rounds}"


if __name__ == "__main__":
    main()
