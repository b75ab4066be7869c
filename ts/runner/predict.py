"""What `torch-model-runner predict` does, by each engine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ts.runner.commands import STDIN
from ts.runner.commands import predict as predict_here
from ts.runner.errors import InputError, ServerError
from ts.runner.signals import ignore_signals, unwind_on_signals

if TYPE_CHECKING:
    from ts.runner.batch.job import Job, Report
    from ts.runner.batch.progress import Pace

ENGINES = ("local", "ray")
ONLY_FOR_RAY = ("output", "resume", "address", "workers", "cpus_per_worker", "gpus_per_worker")
OPEN_PORTS = (
    "torch-model-runner: until all is answered, processes of Ray's listen on all addresses of this machine, at"
    " ports of their choice: it belongs in a private network\n"
)
LONGEST_MESSAGE = 200  # letters of a refused file's answer


def predict(arguments: argparse.Namespace) -> int:
    """Answers the inputs; 0 if each answer is a 200, else 1."""
    if arguments.engine == "ray":
        return predict_on_ray(arguments)
    for name in ONLY_FOR_RAY:
        if getattr(arguments, name) is not (False if name == "resume" else None):
            raise InputError(f"--{name.replace('_', '-')} is for --engine ray")
    return predict_here(arguments)


def predict_on_ray(arguments: argparse.Namespace) -> int:
    """Answers files and folders on a Ray cluster, and writes a table of the answers."""
    check(arguments)
    from ts.runner.batch.cluster import Share, answered_on_ray, import_ray, ray_cluster
    from ts.runner.batch.job import Job, plan
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
    with Job(Path(arguments.output), arguments.inputs, planned.facts, resume=arguments.resume) as job:
        before = job.report()
        pace = Pace(before.files, before.answered)
        try:
            if before.answered < before.files:
                if arguments.address is None:
                    sys.stderr.write(OPEN_PORTS)
                with (
                    shown_progress(Console(stderr=True), pace) as told,
                    ray_cluster(arguments.address) as free,
                    stopped_once(),
                ):
                    fitted = share.fitted(free)
                    job.run(lambda paths: answered_on_ray(paths, planned.options, fitted), told)
            report = job.finish()
        except (KeyboardInterrupt, ServerError):
            tell_of_end(job)
            raise
    tell(report, pace)
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
    if "://" in arguments.output:
        raise InputError(
            f"--output {arguments.output}: answers are written to a path of this machine, not to a URL"
        )
    if STDIN in arguments.inputs:
        raise InputError("--engine ray answers files and folders, not standard input (-)")
    if arguments.json:
        raise InputError("--json is for answers that are printed; with --output they are in that file")


def tell_of_end(job: Job) -> None:
    """Says before the reason why a job ends early what is kept of it."""
    report = job.report()
    if report.answered:
        sys.stderr.write(
            f"torch-model-runner: {report.answered:,} of {report.files:,} files are answered and kept; the same"
            " command with --resume goes on with the others\n"
        )


def tell(report: Report, pace: Pace) -> None:
    """How many of each status, how fast, where the answers are, and what was refused."""
    counts = ", ".join(f"{count:,} times {status}" for status, count in report.counts.items())
    rate = f", {pace.rate:.3g} files/s once the workers were up" if pace.rate else ""
    lines = [f"{report.files:,} files: {counts}", f"{pace.new:,} answered now, in {pace.seconds:.1f} s{rate}"]
    lines += [f"{row.path}: {row.status} {message(row.text)}" for row in report.refused]
    refused = sum(count for status, count in report.counts.items() if status != 200)
    if refused > len(report.refused):
        lines.append(f"and {refused - len(report.refused):,} more that are no 200")
    sys.stdout.write("\n".join([*lines, f"The answers are in {report.output}."]) + "\n")


def message(text: str | None) -> str:
    """What an answer that is no 200 says, on one line."""
    try:
        said = json.loads(text or "")["message"]
    except (ValueError, KeyError, TypeError):
        said = text or "(no text)"
    line = " ".join(str(said).split())
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]}..."
