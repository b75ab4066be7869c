"""From a fresh machine to real networks' answers about real photos and texts.

Makes `.venv/` in the repository's root, installs the project there, and goes on in it with `tour.py`.
Needs nothing but Python 3.9 or newer; a second run takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.environment import Environment
from examples.steps import StepFailedError

# The folders of the examples that are shown, in their order: those of four handlers, and two ways that surprise.
SHOWN = (
    "image_classifier",
    "object_detector",
    "image_segmenter",
    "text_classifier",
    "embedder",
    "network_by_name",
)
EXTRAS = ("timm",)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of quickstart, which are the tour's too."""
    parser.add_argument("--serve", action="store_true", help="go on to a real TorchServe, until Ctrl-C")
    parser.add_argument(
        "--only",
        action="append",
        choices=SHOWN,
        metavar="EXAMPLE",
        help=f"one of {', '.join(SHOWN)}; repeatable",
    )


def main() -> int:
    """Bring the environment up to date, then run the tour in it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    extras = [*EXTRAS, *(["server"] if parser.parse_args().serve else [])]
    environment = Environment()
    try:
        environment.ensure(extras)
        return environment.execute(Path(__file__).with_name("tour.py"), sys.argv[1:])
    except StepFailedError as error:
        print(f"{error.tail()}\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
