"""`predict` in this process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from ts.runner.answering.model import Model, load_archive
from ts.runner.batch.here import Here
from ts.runner.batch.job import facts_of
from ts.runner.batch.known import Known, known_of
from ts.runner.batch.listing import STDIN
from ts.runner.batch.progress import Pace, shown_progress
from ts.runner.batch.question import Question
from ts.runner.predict.failures import Failures
from ts.runner.predict.job import Inputs, check_targets, opened_job, places_of, tell
from ts.runner.predict.printing import print_answers
from ts.runner.streams import output_to_stderr


def predict_here(arguments: argparse.Namespace) -> int:
    """Answers the inputs; 0 if each answer is a 200, else 1."""
    inputs = Inputs(arguments)
    inputs.check()
    check_targets(arguments, inputs)
    stdin = sys.stdin.buffer.read() if STDIN in inputs.named else b""
    question = Question(tuple(arguments.options), tuple(arguments.headers), arguments.explain)
    with output_to_stderr() as stdout, loaded(arguments) as model:
        known = known_of(model.handler, model.archive)
        known.check_options(dict(arguments.options))
        here = Here(model, question, batch_size(arguments, model, known), stdin)
        if arguments.output is None and arguments.save is None:
            return print_answers(arguments, model, here, inputs, known, stdout)
        facts = facts_of(model.archive, question)
        with opened_job(arguments, inputs, known, facts) as job:
            before = job.report()
            pace = Pace(before.files, before.answered, ready=True)
            failures = Failures(at_once=arguments.debug)
            with failures.instead_of_log(), shown_progress(Console(stderr=True), pace) as progress:
                job.run(lambda paths: here.rows(paths, failures), progress.told)
            report = job.finish()
        tell(report, pace, places_of(arguments), stdout)
    return 0 if set(report.counts) == {200} else 1


@contextmanager
def loaded(arguments: argparse.Namespace) -> Iterator[Model]:
    """The model of the archive, or of an architecture that is packed for this run."""
    options = {"device": arguments.device, "metrics_file": arguments.metrics, "max_size": arguments.max_size}
    if arguments.architecture is None:
        with load_archive(arguments.archive, **options) as model:
            yield model
        return
    from ts.runner.packing.unpacked import packed_for_now

    with (
        packed_for_now(arguments.architecture, arguments.weights, arguments.handler) as folder,
        load_archive(folder, **options) as model,
    ):
        yield model


def batch_size(arguments: argparse.Namespace, model: Model, known: Known) -> int | None:
    """The inputs that the handler gets at once; None for as many as suits files of their sizes.

    A handler of somebody's own may count on TorchServe's default, which is one.
    """
    named = arguments.batch_size or (model.batch_size if "batchSize" in model.archive.config else None)
    return named or (None if known.is_default else 1)
