"""Times torch-model-archiver beside torchserve's own, in one run.

    python benchmarks/archiver.py --upstream FOLDER [--size-mib 512] [--rounds 3] [--json FILE]

FOLDER holds an unpacked wheel: `pip download --no-deps torch-model-archiver==0.12.0`, then unzip. Needs numpy.
Each round packs a weight file of random floats with every contender in turn, each in a process of its own, so that
whatever else the machine does meets them all alike; the medians are compared. The yardstick is `cp` of the file
plus one sha256 of it. Peak memory is the process's largest resident set, as Linux tells it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

MIB = 1 << 20
WEIGHTS = "weights.pt"
OUTPUT = {"default": "model.mar", "zip-store": "model.mar", "tgz": "model.tar.gz"}
# Run with `-S`: without the `.pth` file that puts this project, where it is installed, in front of PYTHONPATH.
RUN_ARCHIVER = """
import os
import model_archiver
assert model_archiver.__file__.startswith(os.environ["PYTHONPATH"]), model_archiver.__file__
from model_archiver.model_packaging import generate_model_archive
generate_model_archive()
"""
WRITE_FLOATS = """
import sys
import numpy
random = numpy.random.default_rng()
with open(sys.argv[1], "wb") as file:
    for _ in range(int(sys.argv[2])):
        file.write(random.normal(0, 0.02, 1 << 18).astype("f4").tobytes())
"""
COPY_AND_HASH = """
import hashlib, subprocess, sys
subprocess.run(["cp", *sys.argv[1:]], check=True)
digest = hashlib.sha256()
with open(sys.argv[1], "rb") as file:
    while chunk := file.read(1 << 20):
        digest.update(chunk)
"""


@dataclass(frozen=True)
class Contender:
    """A command to time: `command` is run with `search_path` as PYTHONPATH and writes `output`."""

    name: str
    command: list[str]
    search_path: str
    output: str


@dataclass(frozen=True)
class Result:
    """Medians over the rounds."""

    name: str
    seconds: float
    peak_mib: float
    output_mib: float
    times_the_yardstick: float


def main() -> None:
    options = parse_arguments()
    upstream = options.upstream.resolve()
    with tempfile.TemporaryDirectory(prefix="archiver-benchmark-", dir=options.folder) as folder:
        os.chdir(folder)
        # Not in this process: a child's peak memory begins with what its parent holds when it is started.
        subprocess.run([sys.executable, "-c", WRITE_FLOATS, WEIGHTS, str(options.size_mib)], check=True)
        results = measure(contenders(upstream, Path(folder)), options.rounds)
        os.chdir(os.path.dirname(folder))
    print_table(results, options.size_mib)
    if options.json:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times torch-model-archiver beside torchserve's own.")
    parser.add_argument(
        "--upstream", type=Path, required=True, help="folder of an unpacked torch-model-archiver wheel"
    )
    parser.add_argument(
        "--size-mib", type=int, default=512, help="size of the weight file (default: %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to work (default: the system's temporary folder)")
    parser.add_argument("--json", type=lambda path: Path(path).resolve(), help="file for the figures")
    return parser.parse_args()


def contenders(upstream: Path, folder: Path) -> list[Contender]:
    """Returns the yardstick, torchserve's archiver and this one."""
    link = folder / "ours" / "model_archiver"
    link.parent.mkdir()
    link.symlink_to(Path(__file__).resolve().parent.parent / "model-archiver")
    yardstick = Contender(
        "cp + sha256", [sys.executable, "-c", COPY_AND_HASH, WEIGHTS, "copy.pt"], "", "copy.pt"
    )
    archivers = [
        (f"{name}, {archive_format}", search_path, archive_format)
        for archive_format in ("default", "zip-store", "tgz")
        for name, search_path in (("torchserve 0.12", upstream), ("this", link.parent))
    ]
    return [yardstick, *(archiver(name, search_path, form) for name, search_path, form in archivers)]


def archiver(name: str, search_path: Path, archive_format: str) -> Contender:
    options = {
        "--model-name": "model",
        "--version": "1.0",
        "--handler": "image_classifier",
        "--serialized-file": WEIGHTS,
        "--archive-format": archive_format,
    }
    arguments = [part for option in options.items() for part in option]
    command = [sys.executable, "-S", "-c", RUN_ARCHIVER, *arguments]
    return Contender(name, command, str(search_path.resolve()), OUTPUT[archive_format])


def measure(contenders: list[Contender], rounds: int) -> list[Result]:
    samples: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in contenders}
    sizes = {}
    for number in range(rounds):
        for contender in contenders:
            print(f"round {number + 1} of {rounds}: {contender.name}", file=sys.stderr)
            samples[contender.name].append(run(contender))
            output = Path(contender.output)
            sizes[contender.name] = output.stat().st_size / MIB
            output.unlink()
    medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in samples.items()}
    yardstick = medians[contenders[0].name][0]
    return [
        Result(name, seconds, peak, sizes[name], seconds / yardstick)
        for name, (seconds, peak) in medians.items()
    ]


def run(contender: Contender) -> tuple[float, float]:
    """Returns the seconds that a command took, and its peak memory in MiB."""
    environment = {**os.environ, "PYTHONPATH": contender.search_path, "TMPDIR": os.getcwd()}
    os.sync()  # nobody pays for what the one before left to be written
    start = time.perf_counter()
    process = subprocess.Popen(contender.command, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{contender.name} failed")
    return seconds, usage.ru_maxrss / 1024


def print_table(results: list[Result], size_mib: int) -> None:
    print(f"packing {size_mib} MiB of random float32, Python {sys.version.split()[0]}")
    print(f"{'':28}{'seconds':>9}{'x yardstick':>13}{'peak MiB':>10}{'archive MiB':>13}")
    for result in results:
        print(
            f"{result.name:28}{result.seconds:9.2f}{result.times_the_yardstick:13.2f}"
            f"{result.peak_mib:10.1f}{result.output_mib:13.1f}"
        )


if __name__ == "__main__":
    main()
