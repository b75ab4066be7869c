"""Says what the dearest requests below 100 kB cost each handler, beside what they may.

    python benchmarks/hostile.py [--quick] [--only NAME ...] [--kind KIND ...] [--markdown] [--json FILE]

Makes a corpus of requests (benchmarks/strangers): images of every format around each limit, nested lists, JSON,
base64, options, headers, texts, and many rows in one request. Each is sent to each handler with a small network,
at the default settings, in a process of its own whose memory is bounded. Measured are the seconds of CPU of all
its threads, and the memory above its rest. A request is over its budget if it takes more, is answered with a 5xx,
or ends the process: then the exit code is 1. Linux only; takes a quarter of an hour, with --quick some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Optional

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring.machine import describe
from benchmarks.report import table
from benchmarks.strangers.archives import ARCHIVES, Archive
from benchmarks.strangers.asking import try_archive
from benchmarks.strangers.corpus import corpus
from benchmarks.strangers.verdicts import HEADINGS, Trial, faults, rows_of


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = parse_arguments(arguments)
    with large_images():
        trials = try_all(options)
    print(markdown(trials)) if options.markdown else show(trials)
    return 1 if faults(trials) else 0


@contextmanager
def large_images() -> Iterator[None]:
    """Lets Pillow make images of any size, here in this process."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def try_all(options: argparse.Namespace) -> list[Trial]:
    """Sends the requests to each archive."""
    trials: list[Trial] = []
    for archive in ARCHIVES:
        missing = archive.lacks()
        if options.only and archive.name not in options.only:
            continue
        if missing:
            print(f"{archive.name}: left out, since {missing} is not installed", file=sys.stderr)
            continue
        asked = corpus(archive, quick=options.quick)
        wanted = [each for each in asked if not options.kind or each[0].kind in options.kind]
        trials += try_archive(archive, wanted, progress(archive, len(wanted)))
        if options.json:  # after each, since a run may be ended
            write(trials, options.json)
    return trials


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Says what the dearest requests below 100 kB cost each handler."
    )
    names = [archive.name for archive in ARCHIVES]
    parser.add_argument("--quick", action="store_true", help="a part of the corpus")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"handlers: {', '.join(names)}"
    )
    parser.add_argument(
        "--kind", nargs="+", metavar="KIND", help="kinds of requests, as the table names them"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for the figures of each request")
    return parser.parse_args(arguments)


def write(trials: Sequence[Trial], path: Path) -> None:
    report = {"machine": describe(0, 1), "trials": [trial.figures() for trial in trials]}
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def progress(archive: Archive, count: int) -> Callable[[int], None]:
    def show_it(done: int) -> None:
        if done == count or done % 20 == 0:
            end = "\n" if done == count else ""
            print(f"\r{archive.name}: {done} of {count}", end=end, file=sys.stderr, flush=True)

    return show_it


def show(trials: Sequence[Trial]) -> None:
    """Prints the table for a terminal, and below it each request that is over its budget."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    shown = Table(*HEADINGS)
    for row in rows_of(trials):
        shown.add_row(*row, style="red" if row[-1] else None)
    console.print(shown)
    for fault in faults(trials):
        console.print(": ".join(fault), style="red", markup=False, highlight=False)
    console.print(verdict(trials))


def markdown(trials: Sequence[Trial]) -> str:
    machine = "; ".join(f"{name} {value}" for name, value in describe(0, 1).items() if value is not None)
    over = [table([["handler", "kind", "request", "why"], *faults(trials)])] if faults(trials) else []
    return "\n\n".join([f"{machine}.", table([HEADINGS, *rows_of(trials)]), *over, verdict(trials)])


def verdict(trials: Sequence[Trial]) -> str:
    over = len(faults(trials))
    return f"{len(trials)} requests: {f'{over} are over the budget' if over else 'all within the budget'}."


if __name__ == "__main__":
    sys.exit(main())
