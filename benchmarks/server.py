"""Puts a live TorchServe with this library under load, beside one with torchserve's own handlers.

    python benchmarks/server.py [WHAT] [--case CASE ...] [--rounds N] [--seconds N] [--clients N]
        [--json FILE] [--plot FILE.png] [--quick]

WHAT is `rates` (the default): requests a second, latencies and memory; or `parts`: where a request's time goes,
where a worker's, and which processes use the CPU meanwhile.

Needs torchserve and a Java runtime (pip install 'torchserve-handlers[server]'), httptools, and Linux: it runs in a
network namespace of its own. The servers of a case run at once, each in a virtual environment that borrows this
one's packages, and are asked in turn. One of them has a handler that does nothing: no handler is faster there.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import MOBILENET, OPENVINO, OURS, SMALL, TORCHSERVE
from benchmarks.engines.archives import Served
from benchmarks.engines.contenders import TorchServe
from benchmarks.engines.findings import COLUMNS, ratio
from benchmarks.engines.measuring import Field, Plan, Rounds
from benchmarks.engines.measuring import field as run_servers
from benchmarks.load.ceiling import ceiling
from benchmarks.load.generator import Generator
from benchmarks.load.loads import Closed
from benchmarks.measuring.agreement import compare
from benchmarks.measuring.in_turn import say
from benchmarks.measuring.machine import describe
from benchmarks.parts.archives import doing_nothing, write_news, write_photos
from benchmarks.parts.measuring import measure_parts
from benchmarks.parts.stacks import plot_parts
from benchmarks.processes.namespace import enter
from benchmarks.report import plot, text
from benchmarks.results import CaseResult, Figures, Finding, Report

INSIDE = "SERVER_BENCHMARK_INSIDE"  # set for the process that runs in the namespace
NOTHING = "a handler that does nothing"
BATCH_SIZE = 8
COMPARED = 8  # requests whose answers are compared


@dataclass(frozen=True)
class Contender:
    """A TorchServe, and the settings of its archive.

    Attributes:
        name: In the tables.
        ours: Whether it has this library.
        batch_size: Its `batchSize`.
        config: More of its model-config.yaml.
        rate: The least ratio of its requests a second to those of torchserve's own handlers.
    """

    name: str
    ours: bool = True
    batch_size: int = BATCH_SIZE
    config: dict[str, Any] = field(default_factory=dict)
    rate: Optional[float] = None


@dataclass(frozen=True)
class Case:
    """What is asked for, and whom; the first contender is what the others are compared with.

    Attributes:
        exact: Whether this library's answers are to be the same.
    """

    name: str
    title: str
    write: Callable[[Path, int, int, dict[str, Any]], Served]
    contenders: tuple[Contender, ...]
    exact: bool


TWO_WORKERS = {"minWorkers": 2, "maxWorkers": 2}
BY_OPENVINO = {"handler": {"engine": "openvino"}}
CASES = (
    Case(
        "photo",
        f"{MOBILENET.name} (TorchScript), JPEGs of about {SMALL[0]}x{SMALL[1]}, batchSize {BATCH_SIZE}",
        write_photos,
        (
            Contender(TORCHSERVE, ours=False),
            Contender(OURS),
            Contender(f"{OURS}, minWorkers: 2", config=TWO_WORKERS, rate=3.0),
            Contender(OPENVINO, config=BY_OPENVINO, rate=3.0),
            Contender(f"{OPENVINO}, minWorkers: 2", config={**TWO_WORKERS, **BY_OPENVINO}, rate=3.0),
            Contender(f"{TORCHSERVE}, minWorkers: 2", ours=False, config=TWO_WORKERS),
        ),
        exact=False,  # photos are resized, see README.md
    ),
    Case(
        "text",
        "news, EmbeddingBag, batchSize 8, but 1 of torchserve's, which answers only the first of a batch",
        write_news,
        (
            Contender(TORCHSERVE, ours=False, batch_size=1),
            Contender(OURS, rate=3.0),
            Contender(f"{OURS}, batchSize: 1", batch_size=1),
        ),
        exact=True,
    ),
)


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    enter(INSIDE)
    plan = Plan(options.rounds, options.seconds, options.seed, options.quick, trace=options.what == "parts")
    name = "server" if options.what == "rates" else "server-parts"
    with Generator() as generator:
        machine = describe(options.seed, options.rounds)
        machine["requests/s of the load generator at most"] = f"{ceiling(generator):,.0f}"
        report = Report(name, machine, [])
        for case in CASES:
            if case.name in options.case:
                say(case.name)
                report.cases += Run(case, plan, options.clients, generator).results()
                if options.json:
                    report.write(options.json)
    print(text(report))
    if options.plot:
        (plot_parts if plan.trace else plot)(report, options.plot)
    return report


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(description="Puts TorchServe under load, with this library and without.")
    parser.add_argument("what", nargs="?", choices=("rates", "parts"), default="rates")
    parser.add_argument(
        "--case", nargs="+", choices=names, default=names, metavar="CASE", help=", ".join(names)
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each is asked (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="of a round (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=16, help="at the same time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures, written after each case")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="file for a plot; needs matplotlib")
    parser.add_argument("--quick", action="store_true", help="one round of a second, to try the script")
    options = parser.parse_args(arguments)
    if min(options.rounds, options.seconds, options.clients) <= 0:
        parser.error("--rounds, --seconds and --clients are more than 0")
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    return options


class Run:
    """A case, and how it is measured."""

    def __init__(self, case: Case, plan: Plan, clients: int, generator: Generator) -> None:
        self._case, self._plan, self._generator = case, plan, generator
        self._load = Closed(clients, plan.seconds)
        self._title = f"TorchServe, REST, {self._load}, {case.title}"
        self._servers = {
            each.name: TorchServe(each.name, each.name, ours=each.ours, probed=plan.trace)
            for each in (*case.contenders, Contender(NOTHING))
        }

    def results(self) -> list[CaseResult]:
        with (
            tempfile.TemporaryDirectory(prefix="server-") as folder,
            run_servers(self._generator, self._plan) as servers,
        ):
            self._start(Path(folder), servers)
            if self._plan.trace:
                return measure_parts(self._case.name, self._title, self._servers, self._load, servers)
            rounds = servers.rounds(list(self._servers), [self._load])[self._load]
            figures = [servers.figures(each, rounds) for each in self._servers.values()]
            self._compare_answers(servers, figures)
        return [CaseResult(self._case.name, self._title, "requests", figures, self._findings(rounds))]

    def _start(self, folder: Path, servers: Field) -> None:
        for number, each in enumerate(self._case.contenders):
            served = self._case.write(folder / str(number), self._plan.seed, each.batch_size, each.config)
            nothing = doing_nothing(served, folder / f"nothing-{number}")
            servers.start([self._servers[each.name]], replace(served, beside=nothing))
            check_handlers(each, servers)
        alone = doing_nothing(replace(served, batch_size=BATCH_SIZE), folder / "nothing")
        servers.start([self._servers[NOTHING]], alone)

    def _compare_answers(self, servers: Field, figures: Sequence[Figures]) -> None:
        """Holds each contender's answers beside those of the first."""
        answers = {
            each.name: [json.loads(body) for body in servers.servers[each.name].answers(COMPARED)]
            for each in figures
            if each.name != NOTHING and not each.missing
        }
        expected = answers.get(self._case.contenders[0].name)
        for each in figures[1:]:
            if (
                expected
                and each.name in answers
                and (found := compare("labels", expected, answers[each.name]))
            ):
                each.agreement = found.text
                each.agrees = found.agrees if self._case.exact else None

    def _findings(self, rounds: Rounds) -> list[Finding]:
        """Ratios to the first contender, and of requests a second to those of a handler that does nothing."""
        first, *others = self._case.contenders
        found = []
        for each in others:
            for other, what, aim in (
                (first.name, "requests a second", (each.rate, None)),
                (first.name, "p99", (None, 1.0 if each.rate else None)),
                (NOTHING, "requests a second", (None, None)),
            ):
                own, base = (
                    [COLUMNS[what](one) for one in rounds.get(name, [])] for name in (each.name, other)
                )
                if own and base and min(*own, *base) > 0:
                    found.append(ratio(f"{each.name} / {other}, {what}", own, base, aim))
        return found


def check_handlers(contender: Contender, servers: Field) -> None:
    """Sees to it that a server answers with the handlers that it is to answer with.

    Raises:
        RuntimeError: It has others, or does not run.
    """
    if contender.name not in servers.servers:
        raise RuntimeError(f"{contender.name} does not run: {servers.missing[contender.name]}")
    announced = "of torchserve-handlers" in servers.servers[contender.name].log()
    if announced != contender.ours:
        raise RuntimeError(f"{contender.name}: the wrong handlers answer")


if __name__ == "__main__":
    main()
