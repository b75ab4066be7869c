"""The command line of torch-model-runner: its commands, and their options."""

from __future__ import annotations

import argparse

from ts import HANDLERS_VERSION
from ts.runner.parser.archives import add_doctor, add_export, add_inspect
from ts.runner.parser.common import CommandParser
from ts.runner.parser.comparing import add_compare
from ts.runner.parser.predict import add_predict
from ts.runner.parser.quantizing import add_quantize
from ts.runner.parser.serving import add_ray_config, add_serve


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="torch-model-runner",
        description="Answers, shows, serves and exports TorchServe model archives (.mar, .tar.gz or a folder).",
    )
    result.add_argument("--version", action="version", version=f"torchserve-handlers {HANDLERS_VERSION}")
    actions = result.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=CommandParser
    )
    add_predict(actions)
    add_inspect(actions)
    add_serve(actions)
    add_ray_config(actions)
    add_compare(actions)
    add_export(actions)
    add_quantize(actions)
    add_doctor(actions)
    return result
