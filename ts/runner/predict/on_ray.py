"""`predict` on a Ray cluster."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ts.runner.batch.listing import STDIN
from ts.runner.errors import InputError
from ts.runner.predict.job import Inputs, check_targets, opened_job, places_of, tell
from ts.runner.signals import ignore_signals, unwind_on_signals

OPEN_PORTS = (
    "torch-model-runner: until all is answered, processes of Ray's listen on all addresses of this machine, at"
    " ports of their choice: it belongs in a private network\n"
)


def predict_on_ray(arguments: argparse.Namespace) -> int:
    """Answers files and folders on a Ray cluster, and writes a table of the answers."""
    check(arguments)
    inputs = Inputs(arguments)
    check_targets(arguments, inputs)
    from ts.runner.batch.cluster import Share, answered_on_ray, import_ray, ray_cluster
    from ts.runner.batch.job import plan
    from ts.runner.batch.progress import Pace, shown_progress
    from ts.runner.batch.question import Question

    import_ray()
    planned = plan(
        arguments.archive,
        Question(tuple(arguments.options), tuple(arguments.headers), arguments.explain),
        device=arguments.device,
        batch_size=arguments.batch_size,
        metrics_file=arguments.metrics,
        max_size=arguments.max_size,
        gpus=arguments.gpus_per_worker,
    )
    cpus = 1 if arguments.cpus_per_worker is None else arguments.cpus_per_worker
    share = Share(arguments.workers, cpus, planned.gpus)
    with opened_job(arguments, inputs, planned.known, planned.facts) as job:
        before = job.report()
        pace = Pace(before.files, before.answered)
        if before.answered < before.files:
            if arguments.address is None:
                sys.stderr.write(OPEN_PORTS)
            with (
                shown_progress(Console(stderr=True), pace, "starting Ray") as progress,
                ray_cluster(arguments.address) as free,
                stopped_once(),
            ):
                fitted = share.fitted(free)
                job.run(lambda paths: answered_on_ray(paths, planned.options, fitted), progress.told)
        report = job.finish()
    tell(report, pace, places_of(arguments), sys.stdout, since=" once the workers were up")
    return 0 if set(report.counts) == {200} else 1


@contextmanager
def stopped_once() -> Iterator[None]:
    """Lets the first signal to end interrupt a `with` block, and no other what follows it, which takes seconds."""
    unwind_on_signals()  # Ray has put its own handlers in their place
    try:
        yield
    except KeyboardInterrupt:
        ignore_signals()
        raise


def check(arguments: argparse.Namespace) -> None:
    if arguments.output is None:
        raise InputError("--engine ray writes its answers to a file: --output answers.parquet")
    if STDIN in arguments.inputs:
        raise InputError("--engine ray answers files and folders, not standard input (-)")
    if arguments.architecture is not None:
        raise InputError("--architecture is for --engine local: pack an archive for --engine ray")
