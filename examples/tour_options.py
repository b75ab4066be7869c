"""From a fresh machine to real networks' answers about real photos and texts.

Makes `.venv/` in the repository's root, installs the project there, and goes on in it.
Needs nothing but Python 3.9 or newer; a second run takes seconds.
"""

from __future__ import annotations

import argparse

from examples.environment import enter

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


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", action="store_true", help="go on to a real TorchServe, until Ctrl-C")
    parser.add_argument(
        "--only",
        action="append",
        choices=SHOWN,
        metavar="EXAMPLE",
        help=f"one of {', '.join(SHOWN)}; repeatable",
    )
    return parser.parse_args()


def main() -> int:
    """Brings the environment up to date, then shows the examples in it."""
    options = parse()
    enter([*EXTRAS, *(["server"] if options.serve else [])])
    from examples.tour import tour  # which needs what is installed by now

    return tour(options.only or SHOWN, options.serve)
