"""What quickstart shows once the project is installed: an archive built, asked, and what to type next."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.pop(0)  # this folder: its image_classifier/ would be imported as the handler of that name
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table

from examples.assets import CHELSEA, COFFEE, AssetError, fetch_all
from examples.environment import ROOT
from examples.image_classifier.build import build_archive
from ts.runner import RunnerError, load_archive
from ts.runner.main import main as run_command

MODEL_STORE = ROOT / "model_store"


class TourError(RuntimeError):
    """An answer that is not a 200."""


def probability_table(title: str, probabilities: Mapping[str, float]) -> Table:
    """A table of labels and their probabilities, each with a bar."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(min_width=20)
    for label, probability in probabilities.items():
        bar = ProgressBar(total=1.0, completed=probability, width=30, complete_style="green")
        table.add_row(label, f"{probability:.3f}", bar)
    return table


def ask(archive: Path, photos: Sequence[Path], console: Console) -> None:
    """Send the photos as one batch to the archive's handler, in this process, and print its answers.

    Raises:
        TourError: if the answer to a photo is not a 200.
    """
    with load_archive(archive) as model:
        answers = model.predict(photos)
    for photo, answer in zip(photos, answers):
        if not answer.ok:
            raise TourError(f"{photo.name} got status {answer.status}: {answer.response}")
        console.print(probability_table(photo.name, answer.response))


def as_typed(path: Path) -> Path:
    """The path relative to the current folder if it lies there, else as it is."""
    here = Path.cwd()
    return path.relative_to(here) if here in path.parents else path


def next_commands(archive: Path, photo: Path) -> str:
    """Commands to go on with, as they are typed in the current folder."""
    runner = as_typed(Path(sys.executable).with_name("torch-model-runner"))
    return "\n".join(
        [
            "Type next:",
            f"  {runner} predict {as_typed(archive)} {photo}",
            f"  {runner} inspect {as_typed(archive)}",
            f"  python {as_typed(ROOT / 'examples' / 'quickstart.py')} --serve",
        ]
    )


def run(serve: bool) -> int:
    """Build the archive, ask it about two photos, and serve it or say what to type next."""
    console = Console(highlight=False)
    photos = fetch_all([CHELSEA, COFFEE])
    archive = build_archive(MODEL_STORE)
    size = archive.stat().st_size / 1e6
    console.print(f"built {as_typed(archive)}: EfficientNet-Lite0, {size:.1f} MB\n", soft_wrap=True)
    ask(archive, photos, console)
    if serve:
        print("Starting TorchServe, which takes files such as", *photos)
        return run_command(["serve", str(archive)])
    print(next_commands(archive, photos[0]))
    return 0


def main() -> int:
    """Run the tour; with --serve it goes on to a real TorchServe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="go on to a real TorchServe, until Ctrl-C")
    try:
        return run(parser.parse_args().serve)
    except (AssetError, RunnerError, TourError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
