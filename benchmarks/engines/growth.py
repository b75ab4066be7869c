"""What one more worker adds, and what one more node of Ray."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.engines.archives import Served, write_photo, write_slow
from benchmarks.engines.contenders import EMBEDDED, RAY, Contender, Launch
from benchmarks.engines.findings import ratio
from benchmarks.engines.measuring import Field
from benchmarks.load.loads import Closed, Measured
from benchmarks.results import CaseResult, Figures, Finding

BATCH_SIZE = 8
ROUNDS = 3
CLIENTS = 32  # two batches at work, and two that wait
HANDLERS = {
    "photos": write_photo,
    "a handler that takes 100 ms a batch": write_slow,
}


@dataclass(frozen=True)
class Nodes(Contender):
    """Ray on several nodes, a raylet with one CPU and a front each."""

    nodes: int = 2

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        where = [str(self.nodes), str(served.folder), str(port)]
        command = [sys.executable, "-m", "benchmarks.engines.cluster_host", *where]
        return Launch(command, served.requests(), {**self.full_env(folder), "RAY_TMPDIR": str(folder)})


ONE = replace(EMBEDDED, key="embedded, 1 worker", name="embedded, 1 worker")
TWO = replace(EMBEDDED, key="embedded, 2 workers", name="embedded, 2 workers")
RAY_ONE = replace(RAY, key="Ray, 1 worker", name="Ray, 1 worker")
RAY_TWO = replace(RAY, key="Ray, 2 workers", name="Ray, 2 workers")
NODES_TWO = Nodes("Ray, 2 nodes", "Ray, 2 nodes of 1 worker", "ray", RAY.env)
WORKERS = {ONE.key: 1, TWO.key: 2, RAY_ONE.key: 1, RAY_TWO.key: 2, NODES_TWO.key: 2}
GROWN = ((TWO, ONE), (RAY_TWO, RAY_ONE), (NODES_TWO, RAY_ONE))


def run_growth(folder: Path, field: Field) -> list[CaseResult]:
    results = []
    for index, (title, write) in enumerate(HANDLERS.items()):
        served = {
            workers: write(folder / f"{index}-{workers}", BATCH_SIZE, workers=workers) for workers in (1, 2)
        }
        results.append(run_handler(title, served, field))
        field.stop(ONE.key)
    return results


def run_handler(title: str, served: dict[int, Served], field: Field) -> CaseResult:
    """One contender after the other, each in rounds with the yardstick: the embedded engine with one worker."""
    field.start([ONE], served[1])
    load = Closed(CLIENTS, field.plan.seconds)
    figures: list[Figures] = []
    rounds: dict[str, list[Measured]] = {}
    beside: dict[str, list[Measured]] = {}
    for contender in (TWO, RAY_ONE, RAY_TWO, NODES_TWO):
        field.start([contender], served[WORKERS[contender.key]])
        (found,) = field.rounds([ONE.key, contender.key], [load], ROUNDS).values()
        if not figures:
            figures.append(field.figures(ONE, found))
            rounds[ONE.key] = beside[ONE.key] = found.get(ONE.key, [])
        figures.append(field.figures(contender, found))
        rounds[contender.key], beside[contender.key] = found.get(contender.key, []), found.get(ONE.key, [])
        field.stop(contender.key)
    return CaseResult("growth", f"{title}, {CLIENTS} clients", "requests", figures, grown(rounds, beside))


def grown(rounds: dict[str, list[Measured]], beside: dict[str, list[Measured]]) -> list[Finding]:
    """By how much two answer more than one, each relative to the yardstick in its own rounds."""
    found = []
    for two, one in GROWN:
        if rounds.get(two.key) and rounds.get(one.key):
            own, base = (
                [each.rate / yard.rate for each, yard in zip(rounds[key], beside[key])]
                for key in (two.key, one.key)
            )
            found.append(ratio(f"{two.name} / {one.name}, requests a second", own, base))
            costs, base_costs = ([each.cpu_ms for each in rounds[key]] for key in (two.key, one.key))
            found.append(ratio(f"{two.name} / {one.name}, CPU a request", costs, base_costs))
    return found
