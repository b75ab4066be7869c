"""What quickstart shows once the project is installed: real networks' answers, and what to type next."""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console

from examples.assets import Asset
from examples.environment import ROOT
from examples.example import PICTURES, Example, as_typed, exit_code
from examples.network_by_name import NAME
from examples.photos import PHOTOS
from examples.pictures import contact_sheet
from ts.runner.main import main as run_command

URL = "http://127.0.0.1:8080/predictions"


def load_example(folder: str) -> Example:
    """The example of a folder."""
    return importlib.import_module(f"examples.{folder}.example").EXAMPLE


def write_contact_sheet(pictures: Sequence[Path]) -> Path:
    """Puts pictures onto one sheet, each below its example's name."""
    path = PICTURES / "all.png"
    contact_sheet([(picture.stem.partition("-")[0], Image.open(picture)) for picture in pictures]).save(path)
    return path


def typed_input(example: Example) -> str:
    """The first thing that the example's archive is asked, as it is typed."""
    first = example.inputs[0]
    return str(as_typed(PHOTOS / first.name)) if isinstance(first, Asset) else first


def curl_line(example: Example) -> str:
    """A command that asks the example's archive in a running TorchServe."""
    arguments = [argument.replace("{input}", typed_input(example)) for argument in example.curl]
    return shlex.join(["curl", f"{URL}/{example.model_name}", *arguments])


def next_commands(examples: Sequence[Example]) -> list[str]:
    """Commands to go on with, as they are typed in the current folder."""
    runner = str(as_typed(Path(sys.executable).with_name("torch-model-runner")))
    first, shown = examples[0], {example.folder: example for example in examples}
    file = typed_input(first) if isinstance(first.inputs[0], Asset) else "FILE"
    commands = [[runner, "predict", str(as_typed(first.archive)), file]]
    if by_name := shown.get("network_by_name"):
        weights = str(as_typed(by_name.archive.with_name(f"{NAME}.safetensors")))
        commands.append([runner, "predict", "--architecture", f"timm/{NAME}", "--weights", weights, file])
    if detector := shown.get("object_detector"):
        pictures = ["--option", "format=overlay", "--save", str(as_typed(PICTURES / "found"))]
        commands.append(
            [runner, "predict", str(as_typed(detector.archive)), str(as_typed(PHOTOS)), *pictures]
        )
    commands.append([runner, "inspect", str(as_typed(first.archive))])
    commands.append(
        [str(as_typed(Path(sys.executable))), str(as_typed(ROOT / "examples" / "quickstart.py")), "--serve"]
    )
    return [shlex.join(command) for command in commands]


def print_list(heading: str, lines: Iterable[str]) -> None:
    """Prints lines below a heading, unwrapped, so that they can be copied."""
    print(heading, *(f"  {line}" for line in lines), "", sep="\n", flush=True)


def run(folders: Sequence[str], serve: bool) -> int:
    """Shows the examples, and serves their archives or says what to type next."""
    console = Console(highlight=False)
    examples = [load_example(folder) for folder in folders]
    pictures = [picture for example in examples for picture in example.show(console)]
    if pictures:
        pictures.append(write_contact_sheet(pictures))
        print_list("Pictures:", [str(as_typed(picture)) for picture in pictures])
    if not serve:
        print_list("Type next:", next_commands(examples))
        return 0
    print_list("Once TorchServe is ready, type in another terminal:", map(curl_line, examples))
    return run_command(["serve", "--engine", "torchserve", *(str(example.archive) for example in examples)])


def tour(folders: Sequence[str], serve: bool) -> int:
    """Runs the tour, or says in a sentence what went wrong."""
    return exit_code(lambda: run(folders, serve))
