"""Times the default handlers beside torchserve's own, in one run.

    python benchmarks/handlers.py [--upstream FOLDER] [--device cpu|cuda] [--only NAME ...] [--rounds N] [--seed N]
                                  [--news FILE.csv] [--json FILE] [--plot FILE.png] [--against FILE.json] [--quick]

FOLDER holds an unpacked wheel (`pip download --no-deps torchserve==0.12.0`, then unzip), or is the site-packages
of an environment that torchserve is installed in; by default this one's. Each contender of a case is a process of
its own, which lives as long as the case; each round times all of them in turn, forwards and backwards, and the
medians are compared. Photos, texts and weights are drawn anew for each run. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import Case, cpu_cases
from benchmarks.compare import compare
from benchmarks.gpu_cases import cuda_cases
from benchmarks.measuring.in_turn import Plan, measure, rehearsal, say
from benchmarks.measuring.machine import describe
from benchmarks.report import plot, text
from benchmarks.results import CaseResult, Report, read
from benchmarks.workers.processes import upstream_of

LEAST_OF_FEW_ROUNDS = 0.25


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    cases = chosen(all_cases(options), options.only)
    device = "cpu" if options.rehearse else options.device
    plan = Plan(options.upstream, device, options.rounds, options.seed, news=options.news)
    if options.quick or options.rehearse:
        plan = rehearsal(plan)
    name = "rehearsal" if options.rehearse else f"handlers-{device}"
    report = Report(name, describe(plan.seed, plan.rounds), [])
    for case in cases:
        report.cases.append(measured(case, plan))
        if options.json:  # after each case: a machine may be taken away
            report.write(options.json)
    print(text(report))
    if options.plot:
        plot(report, options.plot)
    if options.against:
        warn_of_what_is_slower(read(options.against), report)
    return report


def warn_of_what_is_slower(kept: Report, report: Report) -> None:
    """Prints a line for each contender that does worse than in a kept run, by so much that few rounds show it."""
    for change in compare(kept, report, LEAST_OF_FEW_ROUNDS):
        if change.verdict in ("slower", "gone"):
            print(f"warning: {change.verdict} than in the kept run: {change.what}: {change.text}")


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times the default handlers beside torchserve's own.")
    parser.add_argument(
        "--upstream", type=Path, help="folder of an unpacked torchserve wheel (default: the installed one)"
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: %(default)s")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="of the cases; default: all")
    parser.add_argument(
        "--rounds", type=int, default=7, help="how often each is timed (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--news", type=Path, metavar="FILE.csv", help="AG_NEWS; default: made-up news")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="file for a plot; needs matplotlib")
    parser.add_argument("--quick", action="store_true", help="one round of small batches, to try the script")
    parser.add_argument("--compile-mode", help="`mode` of torch.compile, on a GPU (default: torch's)")
    parser.add_argument("--rehearse", action="store_true", help="the cases of a GPU on the CPU, quickly")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE.json",
        help="a kept run; warn of what is slower than it was there",
    )
    options = parser.parse_args(arguments)
    options.upstream = upstream_of(options, parser)
    return options


def all_cases(options: argparse.Namespace) -> list[Case]:
    if options.rehearse:
        return cuda_cases(options.compile_mode, decoder="auto")
    return cuda_cases(options.compile_mode) if options.device == "cuda" else cpu_cases()


def chosen(cases: list[Case], names: Sequence[str]) -> list[Case]:
    """The cases of these names, or all if there are none."""
    known = [case.name for case in cases]
    for name in names:
        if name not in known:
            sys.exit(f"there is no case {name!r}; there are {', '.join(known)}")
    return [case for case in cases if not names or case.name in names]


def measured(case: Case, plan: Plan) -> CaseResult:
    with tempfile.TemporaryDirectory(prefix="handlers-benchmark-") as folder:
        result = measure(case, plan, Path(folder))
    for finding in result.findings:
        say(f"  {finding.text}: {finding.value:.2f} {finding.target}")
    return result


if __name__ == "__main__":
    main()
