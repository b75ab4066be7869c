"""The command `predict`."""

from __future__ import annotations

import argparse
from typing import Any

from ts.runner.argument_types import key_value, positive
from ts.runner.batch.outputs.stores import SUFFIXES
from ts.runner.parser.common import (
    ARCHIVE,
    add_command,
    add_device,
    add_json,
    add_max_size,
    add_metrics,
    add_shares,
)
from ts.runner.predict import ENGINES, predict


def complete(command: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    """An --architecture stands for the archive."""
    complete_inputs(command, found, has_archive=found.architecture is None)


def complete_inputs(
    command: argparse.ArgumentParser, found: argparse.Namespace, *, has_archive: bool
) -> None:
    """Refuses a line without inputs, and takes its first name for one where something stands for the archive."""
    if not has_archive:
        found.inputs, found.archive = [*filter(None, [found.archive]), *found.inputs], None
    elif found.archive is None:
        command.error("the following arguments are required: ARCHIVE, INPUT")
    if not found.inputs and found.inputs_from is None:
        command.error("the following arguments are required: INPUT")


def add_predict(actions: Any) -> None:
    about = "answer inputs as TorchServe would: in this process, or on Ray"
    predict_parser = add_command(
        actions, "predict", about, usage="torch-model-runner predict [options] ARCHIVE INPUT ..."
    )
    predict_parser.add_argument("archive", metavar="ARCHIVE", nargs="?", help=ARCHIVE)
    add_inputs(predict_parser)
    add_model(predict_parser)
    add_request(predict_parser)
    add_outputs(predict_parser)
    add_device(predict_parser)
    add_max_size(predict_parser)
    predict_parser.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="inputs that the handler gets at once (default: the archive's batchSize, else up to 16 of"
        " a default handler, and 1 of one of your own)",
    )
    add_metrics(predict_parser)
    add_json(predict_parser, "print one JSON list of {input, status, response}")
    add_ray(predict_parser)
    predict_parser.set_defaults(run=predict, complete=complete)


def add_inputs(command: argparse.ArgumentParser) -> None:
    """What is asked."""
    command.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="*",
        help="a file, a folder, a pattern such as 'photos/**/*.jpg', or the URL of such; - for standard input",
    )
    command.add_argument(
        "--inputs-from",
        metavar="FILE",
        help="more inputs, one a line, or NULs between them; - for standard input",
    )


def add_model(predict_parser: argparse.ArgumentParser) -> None:
    """What answers in place of an archive."""
    predict_parser.add_argument(
        "--architecture",
        metavar="NAME",
        help="in place of ARCHIVE a network by its name: resnet50 of torchvision, timm/NAME",
    )
    predict_parser.add_argument(
        "--weights", help="of --architecture: a file, or weights by name, e.g. IMAGENET1K_V2"
    )
    predict_parser.add_argument(
        "--handler", metavar="NAME", help="of --architecture (default: the one that suits the network)"
    )


def add_outputs(predict_parser: argparse.ArgumentParser) -> None:
    """Where answers go."""
    predict_parser.add_argument(
        "--output",
        metavar="FILE",
        help=f"write answers, as they come, to a file ({', '.join(SUFFIXES)}), and print how many there are",
    )
    predict_parser.add_argument(
        "--save",
        metavar="FOLDER",
        help="write each answer to a file of its own, under its input's name: pictures, masks, JSON",
    )
    there = predict_parser.add_mutually_exclusive_group()
    there.add_argument(
        "--resume",
        action="store_true",
        help="go on with an --output that is there: ask what has no answer yet",
    )
    there.add_argument(
        "-f", "--force", action="store_true", help="replace an --output that is there, and files in --save"
    )


def add_request(predict_parser: argparse.ArgumentParser) -> None:
    """What goes with each input."""
    predict_parser.add_argument(
        "--option",
        metavar="KEY=VALUE",
        action="append",
        type=key_value,
        default=[],
        dest="options",
        help="an option of the request, e.g. topk=3; may be given many times",
    )
    predict_parser.add_argument(
        "--header",
        metavar="KEY=VALUE",
        action="append",
        type=key_value,
        default=[],
        dest="headers",
        help="a header of each request, e.g. ts_request_sequence_id=s1; may be given many times",
    )
    predict_parser.add_argument(
        "--explain", action="store_true", help="ask for explanations in place of predictions"
    )


def add_ray(predict_parser: argparse.ArgumentParser) -> None:
    predict_parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="local: this process; ray: workers of a Ray cluster, started on this machine or joined, for any"
        " number of files (default: local)",
    )
    predict_parser.add_argument(
        "--address", help="of the Ray cluster to join, as ray.init takes it, e.g. auto"
    )
    predict_parser.add_argument(
        "--workers", metavar="N", type=positive, help="on Ray (default: as many as there is room for)"
    )
    add_shares(predict_parser)
