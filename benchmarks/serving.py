"""Puts servers of the same archives under load, side by side: TorchServe, this library's engines, LitServe.

    python benchmarks/serving.py [engines] [--only SERVER ...] [--case CASE ...] [--json FILE [--resume]] [--quick]
    python benchmarks/serving.py growth    # what one more worker, and one more node of Ray, adds
    python benchmarks/serving.py threads   # OpenMP threads of a worker, on idle and on busy cores

Runs in a network namespace of its own, which needs Linux and either root or user namespaces. Needs the extras
`server` and `ray`, and litserve; what is not installed is named in the tables and left out. Everything runs on
this machine's CPUs. The examples' weights, texts and photos are fetched once.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.engines.cases import CASES, SLOW, Case, run_case
from benchmarks.engines.contenders import CONTENDERS
from benchmarks.engines.findings import starts
from benchmarks.engines.generator import Generator
from benchmarks.engines.measuring import Plan, field
from benchmarks.machine import describe
from benchmarks.measuring import say
from benchmarks.namespace import bring_loopback_up, unshare, why_not
from benchmarks.report import markdown, text
from benchmarks.results import Report

INSIDE = "SERVING_BENCHMARK_INSIDE"  # set for the process that runs in the namespace
ALL_CASES = (*CASES, SLOW)
QUICK_CASES = ("echo", "slow")


def main(arguments: Optional[Sequence[str]] = None) -> None:
    options = parse_arguments(arguments)
    if INSIDE not in os.environ:
        enter_namespace()
    bring_loopback_up()
    report = Report("serving", describe(options.seed, options.rounds), [])
    run_engines(options, report)
    print(text(report))
    if options.markdown:
        options.markdown.write_text(markdown(report) + "\n")


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Puts servers of the same archives under load.")
    keys, names = [each.key for each in CONTENDERS], [each.name for each in ALL_CASES]
    parser.add_argument(
        "--only", nargs="+", choices=keys, default=keys, metavar="SERVER", help=", ".join(keys)
    )
    parser.add_argument("--case", nargs="+", choices=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="of each load (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a load (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures, written after each case")
    parser.add_argument("--markdown", type=Path, help="file for the tables")
    parser.add_argument(
        "--quick", action="store_true", help="one short round of two cases, to try the script"
    )
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    options.case = options.case or (QUICK_CASES if options.quick else names)
    return options


def enter_namespace() -> None:
    """Goes on in a network of its own, in place of this process."""
    if reason := why_not():
        sys.exit(f"servers, and Ray's above all, are not to listen in a network that others use: {reason}")
    command = [*unshare(), sys.executable, *sys.argv]
    os.execvpe(command[0], command, {**os.environ, INSIDE: "1"})


def run_engines(options: argparse.Namespace, report: Report) -> None:
    ready: dict[str, list[float]] = {}
    plan = Plan(options.rounds, options.seconds, options.seed, options.quick)
    with Generator() as generator:
        for case in ALL_CASES:
            if case.name in options.case:
                say(case.name)
                run_one(case, generator, plan, options.only, report, ready)
                if options.json:
                    report.write(options.json)
    report.cases.append(starts(ready, [each for each in CONTENDERS if each.key in options.only]))
    if options.json:
        report.write(options.json)


def run_one(
    case: Case,
    generator: Generator,
    plan: Plan,
    only: Sequence[str],
    report: Report,
    ready: dict[str, list[float]],
) -> None:
    with tempfile.TemporaryDirectory(prefix="serving-") as folder:
        served = case.write(Path(folder), case.batch_size)
        with field(served, generator, plan) as servers:
            report.cases += run_case(case, servers, only)
            for key, seconds in servers.ready.items():
                ready.setdefault(key, []).append(seconds)


if __name__ == "__main__":
    main()
