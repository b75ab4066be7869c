"""Files per second: `predict` in one process beside `predict --engine ray`, in turn, with a real network.

    python -m benchmarks.batch [--files N] [--rounds N] [--workers N] [--photos FOLDER] [--json FILE]

The network is EfficientNet-Lite0 of examples/image_classifier. One process is tried as it is and with one thread
(OMP_NUM_THREADS=1). Rates are those of the answering, without the start of workers; of Ray the whole time is told,
too. The answers of Ray must be a 200 for each photo but the damaged one. Runs Ray in a network of its own.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from benchmarks.batch.photos import write_photos
from benchmarks.measuring.machine import describe
from benchmarks.processes.namespace import ROOT, unshare
from examples.assets import PHOTOS, fetch_all
from examples.image_classifier.archive import build_archive

AIM = 1.8  # times the rate of one process as it is, by two workers on two cores
IN_A_NETWORK = """
import os, sys
from benchmarks.processes.namespace import bring_loopback_up
bring_loopback_up()
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
SUFFIXES = {".jpg", ".jpeg", ".png"}
TOLD = re.compile(r"answered now, in ([\d.]+) s, ([\d.e+]+) files/s")

Figures = dict[str, list[dict[str, float]]]


def main(arguments: Optional[Sequence[str]] = None) -> Figures:
    options = parse_arguments(arguments)
    sources = [*fetch_all(PHOTOS), *more_photos(options.photos)]
    with tempfile.TemporaryDirectory(prefix="batch-benchmark-") as name:
        folder = Path(name)
        archive = build_archive(folder)
        photos = folder / "photos"
        photos.mkdir()
        write_photos(photos, sources, options.files, options.seed)
        found = measure(contenders(archive, photos, options), options.rounds)
    print(text(found))
    if options.json:
        facts = {"machine": describe(options.seed, options.rounds), "files": options.files, "found": found}
        options.json.write_text(json.dumps(facts, indent=2))
    return found


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Files per second, of one process and of workers on Ray.")
    parser.add_argument("--files", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="of each contender (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="on Ray (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=16, help="of all (default: %(default)s)")
    parser.add_argument("--photos", type=Path, help="folder of more photos to cut from")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(arguments)


def more_photos(folder: Optional[Path]) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES] if folder else []


def contenders(
    archive: Path, photos: Path, options: argparse.Namespace
) -> dict[str, Callable[[], dict[str, float]]]:
    size = options.batch_size
    return {
        "one process": lambda: run_alone(archive, photos, size),
        "one process, one thread": lambda: run_alone(archive, photos, size, OMP_NUM_THREADS="1"),
        f"{options.workers} workers on Ray": lambda: run_on_ray(archive, photos, options),
    }


def measure(runs: dict[str, Callable[[], dict[str, float]]], rounds: int) -> Figures:
    """Lets each run in turn, every other round backwards."""
    found: Figures = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            found[name].append({**runs[name](), "load": os.getloadavg()[0]})
            print(f"round {number + 1}: {name}: {found[name][-1]}", file=sys.stderr)
    return found


def run_alone(archive: Path, photos: Path, batch_size: int, **env: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.batch.alone", str(archive), str(photos), str(batch_size)]
    found: dict[str, Any] = json.loads(run(command, env).splitlines()[-1])
    check(found["statuses"], len(list(photos.iterdir())))
    return {"rate": found["rate"]}


def run_on_ray(archive: Path, photos: Path, options: argparse.Namespace) -> dict[str, float]:
    import pyarrow.parquet

    output = photos.with_name("answers.parquet")
    output.unlink(missing_ok=True)
    command = [
        *unshare(),
        sys.executable,
        "-c",
        IN_A_NETWORK,
        "-m",
        "ts.runner",
        "predict",
        "--engine",
        "ray",
    ]
    command += [str(archive), str(photos), "--output", str(output), "--device", "cpu"]
    command += ["--workers", str(options.workers), "--batch-size", str(options.batch_size)]
    said = TOLD.search(run(command, {}))
    assert said, "the command did not say how long it took"
    statuses = pyarrow.parquet.read_table(str(output), columns=["status"])["status"].to_pylist()
    check({str(status): statuses.count(status) for status in set(statuses)}, options.files)
    return {"rate": float(said[2]), "seconds": float(said[1])}


def run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode > 1:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    return done.stdout


def check(statuses: dict[str, int], files: int) -> None:
    assert statuses == {"200": files - 1, "400": 1}, f"of {files} files one is damaged, and {statuses} came"


def text(found: Figures) -> str:
    """The medians, and the ratios to one process with the extremes of the rounds."""
    lines = []
    base = [each["rate"] for each in next(iter(found.values()))]
    for name, rounds in found.items():
        ratios = [each["rate"] / before for each, before in zip(rounds, base)]
        rate = statistics.median(each["rate"] for each in rounds)
        spread = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})"
        line = f"{name}: {rate:.1f} files/s, {spread}"
        whole = [each["seconds"] for each in rounds if "seconds" in each]
        lines.append(line + (f", {statistics.median(whole):.1f} s with the start" if whole else ""))
    return "\n".join([*lines, f"aim: {AIM}x by two workers on two cores that nobody else needs"])


if __name__ == "__main__":
    main()
