"""The command `compare`."""

from __future__ import annotations

import argparse
from typing import Any

from ts.runner.argument_types import amount, key_value, positive
from ts.runner.parser.common import (
    ARCHIVE,
    add_command,
    add_device,
    add_json,
    add_max_size,
    add_metrics,
)
from ts.runner.parser.predict import add_inputs, add_request, complete_inputs


def complete(command: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    """Two servers need no archive."""
    complete_inputs(command, found, has_archive=found.old is None or found.new is None)


def compare(arguments: argparse.Namespace) -> int:
    from ts.runner.comparing.command import compare  # which imports torch

    return compare(arguments)


def add_compare(actions: Any) -> None:
    about = "say where this library's answers differ from those of torchserve's own handlers, or of a server"
    command = add_command(
        actions, "compare", about, usage="torch-model-runner compare [options] ARCHIVE INPUT ..."
    )
    command.add_argument(
        "archive", metavar="ARCHIVE", nargs="?", help=f"{ARCHIVE}; none with both --old and --new"
    )
    add_inputs(command)
    add_server(command, "old", "torchserve's own handlers, in a process of their own")
    add_server(command, "new", "this library")
    command.add_argument(
        "--tolerance",
        metavar="X",
        type=amount,
        default=0.002,
        help="of numbers, or as a part of those above 1 (default: 0.002, which resized JPEGs may differ by)",
    )
    command.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="also ask so many at once (default: the archive's batchSize, else one by one only)",
    )
    command.add_argument(
        "--allow-known",
        action="store_true",
        help="exit with 0 also if all that differs does so by intent, see docs/migrating.md",
    )
    add_request(command)
    add_device(command)
    add_max_size(command)
    add_metrics(command)
    add_json(command, "print one JSON document")
    command.set_defaults(run=compare, complete=complete, output=None, save=None)


def add_server(command: argparse.ArgumentParser, side: str, otherwise: str) -> None:
    command.add_argument(
        f"--{side}",
        metavar="URL",
        help=f"a server with the {side} answers, as http://HOST:8080, or /predictions/NAME of it"
        f" (default: ARCHIVE, by {otherwise})",
    )
    command.add_argument(
        f"--{side}-header",
        metavar="KEY=VALUE",
        action="append",
        type=key_value,
        default=[],
        dest=f"{side}_headers",
        help=f"of each request to --{side}, e.g. 'Authorization=Bearer TOKEN'; may be given many times",
    )
