"""Files per second: `predict FOLDER --output a.jsonl` beside the handler alone, on ready batches, in turn.

    python -m benchmarks.batch.folder [--files N] [--rounds N] [--photos FOLDER] [--json FILE]

The network is EfficientNet-Lite0 of examples/image_classifier, the photos are cut out of real ones. Both are
processes of their own, and neither's start is counted: the command says itself how fast it was; the other gets
batches whose files are in memory, and calls the handler with one after the other. Photos that are damaged are none
of them, since a batch with one is answered twice.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

from benchmarks.batch.photos import write_photos
from benchmarks.measuring.machine import describe
from benchmarks.processes.namespace import ROOT
from examples.assets import PHOTOS, fetch_all
from examples.image_classifier.archive import build_archive

AIM = 0.9  # of the handler's own rate
SUFFIXES = {".jpg", ".jpeg", ".png"}
TOLD = re.compile(r"answered now, in [\d.]+ s, ([\d.e+]+) files/s")
SIZE = 8  # of the handler's batches, the archive's batchSize


def main(arguments: Optional[Sequence[str]] = None) -> None:
    options = parse_arguments(arguments)
    more = sorted(options.photos.iterdir()) if options.photos else []
    sources = [*fetch_all(PHOTOS), *(path for path in more if path.suffix.lower() in SUFFIXES)]
    found = []
    with tempfile.TemporaryDirectory(prefix="folder-benchmark-") as name:
        folder = Path(name)
        archive = build_archive(folder)
        photos = folder / "photos"
        photos.mkdir()
        write_photos(photos, sources, options.files + 1, options.seed)
        (photos / f"{(options.files + 1) // 2:06}.jpg").unlink()  # the damaged one
        for number in range(options.rounds):
            runs = (by_command, by_handler)[:: -1 if number % 2 else 1]
            rates = {run.__name__: run(archive, photos) for run in runs}
            found.append({**rates, "load": os.getloadavg()[0]})
            sys.stderr.write(f"round {number + 1}: {found[-1]}\n")
    print(text(found))
    if options.json:
        facts = {
            "machine": describe(options.seed, options.rounds),
            "files": options.files,
            "found": found,
        }
        options.json.write_text(json.dumps(facts, indent=2))


def text(found: list[dict[str, float]]) -> str:
    """The medians of the rounds, and of their ratios."""
    command, handler = (
        statistics.median(each[run] for each in found) for run in ("by_command", "by_handler")
    )
    ratios = sorted(each["by_command"] / each["by_handler"] for each in found)
    return (
        f"predict {command:.1f} files/s, the handler alone {handler:.1f} files/s;"
        f" ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}), aim {AIM}"
    )


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Files per second, of the command and of the handler alone.")
    parser.add_argument("--files", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="of each (default: %(default)s)")
    parser.add_argument("--photos", type=Path, help="folder of more photos to cut from")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(arguments)


def by_command(archive: Path, photos: Path) -> float:
    output = photos.with_name("answers.jsonl")
    command = ["ts.runner", "predict", str(archive), str(photos), "--device", "cpu"]
    said = run([*command, "--output", str(output), "--force"])
    answers = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [answer["status"] for answer in answers] == [200] * len(list(photos.iterdir()))
    found = TOLD.search(said)
    assert found, f"the command did not say how fast it was: {said}"
    return float(found[1])


def by_handler(archive: Path, photos: Path) -> float:
    return float(run(["benchmarks.batch.folder", "handler", str(archive), str(photos)]))


def run(module: list[str]) -> str:
    done = subprocess.run([sys.executable, "-m", *module], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(module)} failed: {done.stderr[-2000:]}")
    return done.stdout


def handler_alone(archive: str, photos: str) -> float:
    """Files per second of a handler that gets batches which are in memory."""
    from ts.runner.answering.model import batches, load_archive
    from ts.runner.answering.payload import prediction

    paths = sorted(Path(photos).iterdir())
    with load_archive(archive, device="cpu") as model:
        ready = list(batches([prediction(path.read_bytes()) for path in paths], SIZE))
        begun = time.monotonic()
        statuses = [answer.status for batch in ready for answer in model.answer(batch)]
        seconds = time.monotonic() - begun
    assert statuses == [200] * len(paths)
    return len(paths) / seconds


if __name__ == "__main__":
    if sys.argv[1:2] == ["handler"]:
        print(handler_alone(*sys.argv[2:]))
    else:
        main()
