"""The command `quantize`."""

from __future__ import annotations

import argparse
from typing import Any

from ts.runner.argument_types import positive
from ts.runner.parser.common import ARCHIVE, add_command, add_json, add_max_size


def share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return value


def whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def quantize(arguments: argparse.Namespace) -> int:
    from ts.runner.quantizing.command import quantize  # which imports torch

    return quantize(arguments)


def add_quantize(actions: Any) -> None:
    command = add_command(
        actions,
        "quantize",
        "re-pack an archive with its network in int8, if its answers agree with those in float32",
    )
    command.add_argument("archive", metavar="ARCHIVE", help=ARCHIVE)
    command.add_argument(
        "--data",
        metavar="PATH",
        action="append",
        required=True,
        help="what it is calibrated with and judged by, 60 inputs at least: a folder of photos; a file of texts,"
        " one a line (.txt, .jsonl) or a row (.csv, .tsv); may be given many times",
    )
    command.add_argument(
        "-o", "--output", metavar="OUT", help="the new archive (default: ARCHIVE-int8.mar, in this folder)"
    )
    add_inputs(command)
    add_how(command)
    add_max_size(command)
    command.add_argument("-f", "--force", action="store_true", help="replace OUT")
    add_json(command, "print one JSON document")
    command.set_defaults(run=quantize)


def add_inputs(command: argparse.ArgumentParser) -> None:
    """How the inputs are read and used."""
    command.add_argument(
        "--min-agreement",
        metavar="X",
        type=share,
        default=0.98,
        help="of inputs that are held out, the share whose top class is to be that of float32 (default: 0.98)",
    )
    command.add_argument(
        "--samples",
        metavar="N",
        type=positive,
        default=300,
        help="inputs to calibrate with, at most (default: 300)",
    )
    command.add_argument(
        "--column", metavar="NAME", help="of a .csv or .tsv, the one with texts (default: text)"
    )
    command.add_argument(
        "--seed", metavar="N", type=whole, default=0, help="of what parts the inputs by chance (default: 0)"
    )


def add_how(command: argparse.ArgumentParser) -> None:
    """How the network is quantized."""
    command.add_argument(
        "--preset",
        choices=("performance", "mixed"),
        help="of nncf: mixed is more exact where activations are not symmetric, and slower (default: mixed for"
        " transformers, else performance)",
    )
    command.add_argument(
        "--bias",
        choices=("exact", "fast"),
        default="fast",
        help="of nncf: how the mean error of a layer is taken out: after those before it, or each alone, in less"
        " time (default: fast)",
    )
    command.add_argument(
        "--float",
        choices=("ends", "depthwise"),
        action="append",
        default=[],
        dest="left_float",
        help="layers that stay in float32, more exact and slower: ends, the first and the last; depthwise, the"
        " convolutions of one channel each; may be given twice",
    )
