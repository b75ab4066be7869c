"""What quickstart shows once the project is installed: real networks' answers, and what to type next."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from examples.assets import Asset, cache_folder
from examples.environment import ROOT
from examples.example import PICTURES, Example, as_typed, exit_code
from examples.pictures import contact_sheet
from examples.quickstart import HANDLERS, add_options
from ts.runner.main import main as run_command

URL = "http://127.0.0.1:8080/predictions"


def load_example(handler: str) -> Example:
    """The example of a default handler."""
    return importlib.import_module(f"examples.{handler}.ask").EXAMPLE


def write_contact_sheet(pictures: Sequence[Path]) -> Path:
    """Puts pictures onto one sheet, each below its handler's name."""
    path = PICTURES / "all.png"
    contact_sheet([(picture.stem.partition("-")[0], Image.open(picture)) for picture in pictures]).save(path)
    return path


def typed_input(example: Example) -> str:
    """The first thing that the example's archive is asked, as it is typed."""
    first = example.inputs[0]
    return str(cache_folder() / first.name) if isinstance(first, Asset) else first


def curl_line(example: Example) -> str:
    """A command that asks the example's archive in a running TorchServe."""
    arguments = [argument.replace("{input}", typed_input(example)) for argument in example.curl]
    return shlex.join(["curl", f"{URL}/{example.model_name}", *arguments])


def next_commands(example: Example) -> list[str]:
    """Commands to go on with, as they are typed in the current folder."""
    runner = str(as_typed(Path(sys.executable).with_name("torch-model-runner")))
    archive = str(as_typed(example.archive))
    file = typed_input(example) if isinstance(example.inputs[0], Asset) else "FILE"
    return [
        shlex.join([runner, "predict", archive, file]),
        shlex.join([runner, "inspect", archive]),
        shlex.join(["python", str(as_typed(ROOT / "examples" / "quickstart.py")), "--serve"]),
    ]


def print_list(heading: str, lines: Iterable[str]) -> None:
    """Prints lines below a heading, unwrapped, so that they can be copied."""
    print(heading, *(f"  {line}" for line in lines), "", sep="\n", flush=True)


def run(handlers: Sequence[str], serve: bool) -> int:
    """Shows the examples, and serves their archives or says what to type next."""
    console = Console(highlight=False)
    examples = [load_example(handler) for handler in handlers]
    pictures = [picture for example in examples for picture in example.show(console)]
    if pictures:
        pictures.append(write_contact_sheet(pictures))
        print_list("Pictures:", [str(as_typed(picture)) for picture in pictures])
    if not serve:
        print_list("Type next:", next_commands(examples[0]))
        return 0
    print_list("Once TorchServe is ready, type in another terminal:", map(curl_line, examples))
    return run_command(["serve", "--engine", "torchserve", *(str(example.archive) for example in examples)])


def main() -> int:
    """Runs the tour; with --serve it goes on to a real TorchServe."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    options = parser.parse_args()
    return exit_code(lambda: run(options.only or HANDLERS, options.serve))


if __name__ == "__main__":
    sys.exit(main())
