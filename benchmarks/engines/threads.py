"""Photos a second by threads and workers of the embedded engine, on idle cores, and beside one that is busy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.engines.archives import write_photo
from benchmarks.engines.contenders import EMBEDDED, THREADS, Contender
from benchmarks.engines.findings import ratio
from benchmarks.engines.measuring import Field, Rounds
from benchmarks.load.loads import Closed
from benchmarks.results import CaseResult
from ts.runner.serving.embedded.threads import threads_of_a_worker

COUNTS = (1, 2)  # of threads, and of workers
LOAD = 16  # clients
BATCH_SIZE = 8


def run_threads(folder: Path, field: Field) -> list[CaseResult]:
    """All four at once, idle but for the one that is asked."""
    contenders = {
        (threads, workers): contender_of(threads, workers) for threads in COUNTS for workers in COUNTS
    }
    for workers in COUNTS:
        served = write_photo(folder / str(workers), BATCH_SIZE, workers=workers)
        field.start([contenders[threads, workers] for threads in COUNTS], served)
    results = []
    for title, busy in (("idle cores", 0), ("one busy core", 1)):
        with busy_cores(busy):
            keys = [each.key for each in contenders.values()]
            (rounds,) = field.rounds(keys, [Closed(LOAD, field.plan.seconds)]).values()
        results.append(result(title, rounds, contenders, field))
    return results


def contender_of(threads: int, workers: int) -> Contender:
    chosen = ", the engine's choice" if threads == threads_of_a_worker(workers) else ""
    name = f"workers {workers}, threads {threads}{chosen}"
    return replace(EMBEDDED, key=f"{threads}x{workers}", name=name, env={THREADS: str(threads)})


def result(
    title: str, rounds: Rounds, contenders: dict[tuple[int, int], Contender], field: Field
) -> CaseResult:
    figures = [field.figures(each, rounds) for each in contenders.values()]
    found = []
    for workers in COUNTS:
        one, two = contenders[1, workers], contenders[2, workers]
        if rounds.get(one.key) and rounds.get(two.key):
            own, base = ([each.rate for each in rounds[key]] for key in (two.key, one.key))
            found.append(ratio(f"{two.name} / threads 1, photos a second", own, base))
    return CaseResult(
        "threads", f"photos, 16 clients, batchSize {BATCH_SIZE}, {title}", "photos", figures, found
    )


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """Keeps so many cores busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
