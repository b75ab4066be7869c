"""What several commands have in common."""

from __future__ import annotations

import argparse
from typing import Any

from ts.runner.argument_types import amount, byte_count

ARCHIVE = (
    "a .mar, a .tar.gz or a folder, or the URL of such a file (s3://, https://, ...); @sha256:DIGEST after it pins"
    " its content"
)


class CommandParser(argparse.ArgumentParser):
    """Takes options before, between and behind the names of files.

    A default `complete` of a command is called with its parser and arguments, and looks at them as a whole.
    """

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        if self._inside:  # by which some Pythons parse intermixed arguments
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            found, rest = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False
        complete = self.get_default("complete")
        if complete is not None:
            complete(self, found)
        return found, rest


def add_command(actions: Any, name: str, about: str, **options: Any) -> Any:
    """Adds a command, whose parser takes `options`."""
    command = actions.add_parser(name, help=about, description=f"{about[0].upper()}{about[1:]}.", **options)
    command.add_argument("--debug", action="store_true", help="show logs, and tracebacks of what fails")
    return command


def add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="auto (the first GPU, if there is one), cpu or cuda:N (default: auto)",
    )


def add_max_size(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-size",
        metavar="SIZE",
        type=byte_count,
        help="what an archive may unpack to, in bytes or as 500M or 20G (default: 50 times its own size, and 256M"
        " at least)",
    )


def add_metrics(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--metrics",
        metavar="FILE",
        help="a YAML file that defines metrics of handlers, as TorchServe's metrics_config names one",
    )


def add_json(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("--json", action="store_true", help=about)


def add_shares(command: argparse.ArgumentParser) -> None:
    """What each worker on Ray gets."""
    command.add_argument(
        "--cpus-per-worker",
        metavar="N",
        type=amount,
        help="of each worker on Ray; 0.5 lets two share a CPU (default: 1; less on a cluster that is started here,"
        " if there are too few)",
    )
    command.add_argument(
        "--gpus-per-worker",
        metavar="N",
        type=amount,
        help="of each worker on Ray, unless the archive's deviceType is cpu; 0.5 lets two share a GPU (default: as"
        " the archive's deviceType and parallelism ask for)",
    )
