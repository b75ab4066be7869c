"""Puts servers of the same archives under load, side by side: TorchServe, this library's engines, LitServe.

    python benchmarks/serving.py [WHAT] [--only SERVER ...] [--case CASE ...] [--json FILE [--resume]] [--quick]

WHAT is `engines` (the default): the servers beside each other; `growth`: what one more worker, and one more node
of Ray, adds; or `threads`: OpenMP threads of a worker, on idle cores and beside a busy one.

Runs in a network namespace of its own, which needs Linux, and root or user namespaces. Needs the extras `server`
and `ray`, and litserve; what is not installed is named in the tables and left out. Everything runs on this
machine's CPUs. The examples' weights, texts and photos are fetched once. With `--resume` the cases that are in the
file already are not measured again.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.engines.cases import CASES, Case, run_case
from benchmarks.engines.contenders import CONTENDERS
from benchmarks.engines.findings import starts
from benchmarks.engines.growth import run_growth
from benchmarks.engines.measuring import Plan, field
from benchmarks.engines.threads import run_threads
from benchmarks.load.ceiling import ceiling
from benchmarks.load.generator import Generator
from benchmarks.measuring.in_turn import say
from benchmarks.measuring.machine import describe, version
from benchmarks.processes.namespace import enter
from benchmarks.report import markdown, text
from benchmarks.results import Report, read

INSIDE = "SERVING_BENCHMARK_INSIDE"  # set for the process that runs in the namespace
PACKAGES = ("uvicorn", "starlette", "uvloop", "ray", "litserve")
QUICK_CASES = ("echo", "slow")
OTHERS = {"growth": run_growth, "threads": run_threads}


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    enter(INSIDE)
    with Generator() as generator:
        report = Report(
            "serving" if options.what == "engines" else options.what, machine(options, generator), []
        )
        if options.resume and options.json.is_file():
            report.cases = read(options.json).cases
        Run(options, report, generator).run()
    print(text(report))
    if options.markdown:
        options.markdown.write_text(markdown(report) + "\n")
    return report


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Puts servers of the same archives under load.")
    keys, names = [each.key for each in CONTENDERS], [each.name for each in CASES]
    parser.add_argument("what", nargs="?", choices=("engines", *OTHERS), default="engines")
    parser.add_argument(
        "--only", nargs="+", choices=keys, default=keys, metavar="SERVER", help=", ".join(keys)
    )
    parser.add_argument("--case", nargs="+", choices=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="of each load (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.5, help="of a load (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures, written after each case")
    parser.add_argument("--markdown", type=Path, help="file for the tables")
    parser.add_argument("--resume", action="store_true", help="leave out the cases that are in the file")
    parser.add_argument(
        "--quick", action="store_true", help="one short round of two cases, to try the script"
    )
    options = parser.parse_args(arguments)
    if options.resume and not options.json:
        parser.error("--resume needs --json")
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    options.case = options.case or (QUICK_CASES if options.quick else names)
    return options


def machine(options: argparse.Namespace, generator: Generator) -> dict[str, Any]:
    """What this runs on, how busy it is, and the most that the load generator could send."""
    return {
        **describe(options.seed, options.rounds),
        **{name: version(name) for name in PACKAGES},
        "load before": f"{os.getloadavg()[0]:.1f}",
        "requests/s of the load generator at most": f"{ceiling(generator, options.seconds / 2):,.0f}",
    }


class Run:
    """What is measured, and the report that it goes to."""

    def __init__(self, options: argparse.Namespace, report: Report, generator: Generator) -> None:
        self._options = options
        self._report = report
        self._generator = generator
        self._plan = Plan(options.rounds, options.seconds, options.seed, options.quick)
        self._began = time.perf_counter()
        self._contenders = [each for each in CONTENDERS if each.key in options.only]

    def run(self) -> None:
        if self._options.what != "engines":
            with tempfile.TemporaryDirectory(prefix="serving-") as folder, self._field() as servers:
                self._report.cases += OTHERS[self._options.what](Path(folder), servers)
            self._write()
            return
        there = {case.name for case in self._report.cases}
        for case in CASES:
            if case.name in self._options.case and case.name not in there:
                say(case.name)
                self._run_case(case)
                self._write()

    def _run_case(self, case: Case) -> None:
        with tempfile.TemporaryDirectory(prefix="serving-") as folder, self._field() as servers:
            served = case.write(Path(folder), case.batch_size)
            self._report.cases += run_case(case, served, servers, self._options.only)
            self._report.cases.append(starts(case.name, case.title, servers.ready, self._contenders))

    def _field(self) -> Any:
        return field(self._generator, self._plan)

    def _write(self) -> None:
        minutes = (time.perf_counter() - self._began) / 60
        self._report.machine.update({"load after": f"{os.getloadavg()[0]:.1f}", "minutes": f"{minutes:.1f}"})
        if self._options.json:
            self._report.write(self._options.json)


if __name__ == "__main__":
    main()
