"""One example: an archive that is built from real weights, asked real questions, and shown."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from PIL import Image
from rich.console import Console, RenderableType
from rich.rule import Rule

from examples import steps
from examples.assets import Asset, AssetError, fetch_all
from examples.environment import LOGS, ROOT
from examples.photos import lay_out
from examples.steps import run_step
from ts.runner import Model, RunnerError, load_archive

HERE = ROOT / "examples"
MODEL_STORE = ROOT / "model_store"
PICTURES = ROOT / "pictures"


class AnswerError(RuntimeError):
    """An answer that is not a 200."""


@dataclass(frozen=True)
class Outcome:
    """What came of asking.

    Attributes:
        view: the answers, for a terminal.
        pictures: the answers drawn onto the photos, by the photo's name.
    """

    view: RenderableType
    pictures: Mapping[str, Image.Image] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """An archive, and what to ask it.

    Attributes:
        folder: in `examples/`.
        model_name: the archive's.
        title: the network, and what it tells.
        inputs: photos or texts, that it is asked about.
        ask: takes the started archive and the inputs, a photo as its path.
        curl: the arguments by which curl asks a running TorchServe; `{input}` stands for the first input.
        script: the file in the folder that builds the archive.
    """

    folder: str
    model_name: str
    title: str
    inputs: tuple[Asset | str, ...]
    ask: Callable[[Model, Sequence[Any]], Outcome]
    curl: tuple[str, ...] = ("-T", "{input}")
    script: str = "build.py"

    @property
    def archive(self) -> Path:
        """Where the archive lies once it is built."""
        return MODEL_STORE / f"{self.model_name}.mar"

    def is_built(self) -> bool:
        """Whether the archive is there, and as new as the files that it is built from."""
        sources = [HERE / "building.py", *(HERE / self.folder).iterdir()]
        newest = max(source.stat().st_mtime for source in sources if source.is_file())
        return self.archive.is_file() and self.archive.stat().st_mtime >= newest

    def prepare(self) -> list[Path | str]:
        """Builds the archive if need be, and brings the photos.

        Returns:
            The inputs, a photo as its path.

        Raises:
            AssetError: a photo is not in the cache and cannot be downloaded.
            StepFailedError: the archive cannot be built.
        """
        if not self.is_built():
            build = str(HERE / self.folder / self.script)
            command = [sys.executable, build, "--export-path", str(MODEL_STORE)]
            run_step(f"build {as_typed(self.archive)}", command, LOGS / f"build-{self.model_name}.log")
        photos = [each for each in self.inputs if isinstance(each, Asset)]
        paths = {photo: lay_out(path) for photo, path in zip(photos, fetch_all(photos))}
        return [paths[each] if isinstance(each, Asset) else each for each in self.inputs]

    def show(self, console: Console) -> list[Path]:
        """Builds the archive if need be, asks it in this process, prints its answers and writes its pictures.

        Returns:
            The paths of the pictures.

        Raises:
            AnswerError: the answer to a question is not a 200.
            AssetError, RunnerError, StepFailedError: what is needed is not to be had.
        """
        inputs = self.prepare()
        with console.status(f"asking {self.model_name}"), load_archive(self.archive) as model:
            outcome = self.ask(model, inputs)
        console.print(Rule(f"[bold]{self.folder}[/]  {self.title}", align="left"), outcome.view, "")
        return [self.save(name, picture) for name, picture in outcome.pictures.items()]

    def save(self, name: str, picture: Image.Image) -> Path:
        """Writes one picture into the folder of pictures."""
        PICTURES.mkdir(exist_ok=True)
        path = PICTURES / f"{self.folder}-{Path(name).stem}.png"
        picture.save(path)
        return path


def responses(model: Model, inputs: Sequence[Any], **options: Any) -> list[Any]:
    """What an archive answers to each input.

    Raises:
        AnswerError: an answer is not a 200.
    """
    answers = model.predict(inputs, options=options)
    for asked, answer in zip(inputs, answers):
        if not answer.ok:
            raise AnswerError(f"{asked} got status {answer.status}: {answer.response}")
    return [answer.response for answer in answers]


def as_typed(path: Path) -> Path:
    """The path relative to the current folder if it lies there, else as it is."""
    here = Path.cwd()
    return path.relative_to(here) if here in path.parents else path


def exit_code(run: Callable[[], int]) -> int:
    """Runs a script of an example, and says in a sentence what went wrong if something does."""
    return steps.exit_code(run, AnswerError, AssetError, RunnerError)


def show(*examples: Example) -> int:
    """Shows examples, and says where their pictures are: what each `ask.py` does."""

    def show_all() -> int:
        console = Console(highlight=False)
        pictures = [picture for example in examples for picture in example.show(console)]
        for picture in pictures:
            print("wrote", as_typed(picture))
        return 0

    return exit_code(show_all)
