"""What `torch-model-runner predict` does, by each engine."""

from __future__ import annotations

import argparse

from ts.runner.batch.listing import STDIN
from ts.runner.errors import InputError

ENGINES = ("local", "ray")
ONLY_FOR_RAY = ("address", "workers", "cpus_per_worker", "gpus_per_worker")


def predict(arguments: argparse.Namespace) -> int:
    """Answers the inputs; 0 if each answer is a 200, else 1."""
    check(arguments)
    if arguments.engine == "ray":
        from ts.runner.predict.on_ray import predict_on_ray

        return predict_on_ray(arguments)
    from ts.runner.predict.here import predict_here

    return predict_here(arguments)


def check(arguments: argparse.Namespace) -> None:
    """Refuses options that do not go together.

    Raises:
        InputError: With one sentence.
    """
    if arguments.engine == "local":
        for name in ONLY_FOR_RAY:
            if getattr(arguments, name) is not None:
                raise InputError(f"--{name.replace('_', '-')} is for --engine ray")
    if arguments.output is None and arguments.resume:
        raise InputError("--resume goes on with an --output")
    if arguments.output is not None and "://" in arguments.output:
        raise InputError(
            f"--output {arguments.output}: answers are written to a path of this machine, not to a URL"
        )
    if arguments.json and (arguments.output is not None or arguments.save is not None):
        raise InputError("--json is for answers that are printed; with --output or --save they are in files")
    if [*arguments.inputs, arguments.inputs_from].count(STDIN) > 1:
        raise InputError("standard input (-) can be read only once")
    if arguments.weights is not None and arguments.architecture is None:
        raise InputError("--weights is for --architecture; an archive has its own")
