"""Times a live TorchServe with this library beside one with its own handlers.

    python benchmarks/server.py [--rounds N] [--seconds N] [--clients N] [--json FILE] [--plot FILE.png] [--quick]

Needs torchserve and a Java runtime: pip install 'torchserve-handlers[server]'. Both servers run at once, on free
ports of 127.0.0.1, each from a virtual environment of its own that borrows the packages of this one; that each
answers with the handlers meant is checked by their descriptions, which torchserve's own lack. They are asked in
turn, for some seconds each, by clients that send the next photo as soon as they have the answer to the last.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.agreement import compare
from benchmarks.cases import CALIBRATION, MOBILENET, OURS, SMALL, TORCHSERVE
from benchmarks.inputs import Inputs
from benchmarks.machine import describe
from benchmarks.measuring import say
from benchmarks.models import write_network
from benchmarks.processes.venvs import make_venv
from benchmarks.report import plot, text
from benchmarks.results import CaseResult, Figures, Finding, Report, quartiles
from ts.runner.torchserve.server import TorchServe

BATCH_SIZE = 8
CONFIG = f"batchSize: {BATCH_SIZE}\nmaxBatchDelay: 10\nminWorkers: 1\nmaxWorkers: 1\nhandler: {{}}\n"
PHOTOS = 64
WARM_UPS = 8
TIMEOUT = 120  # seconds, of a request


@dataclass(frozen=True)
class Load:
    """What one round found: requests a second, and the seconds that each request took."""

    rate: float
    latencies: list[float]

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    inputs = Inputs(options.seed)
    photos = inputs.jpegs(PHOTOS, *SMALL)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="server-benchmark-")))
        archive = write_archive(folder / MOBILENET.name, inputs, options.seed)
        servers = {
            name: stack.enter_context(start(folder / side, archive, ours=side == "ours"))
            for name, side in ((TORCHSERVE, "upstream"), (OURS, "ours"))
        }
        case = measure(servers, photos, options)
    report = Report("server", describe(options.seed, options.rounds), [case])
    print(text(report))
    if options.json:
        report.write(options.json)
    if options.plot:
        plot(report, options.plot)
    return report


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times TorchServe with this library and without.")
    parser.add_argument(
        "--rounds", type=int, default=7, help="how often each is asked (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of a round (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=16, help="at the same time (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="file for a plot; needs matplotlib")
    parser.add_argument("--quick", action="store_true", help="one round of a second, to try the script")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    return options


# The servers -------------------------------------------------------------------------------------------------


def write_archive(folder: Path, inputs: Inputs, seed: int) -> Path:
    """An archive that is a folder, as torch-model-archiver's format `no-archive` makes it."""
    unpacked = write_network(MOBILENET, folder, seed, inputs.jpegs(CALIBRATION, *SMALL))
    (folder / "model-config.yaml").write_text(CONFIG)
    manifest = {
        "runtime": "python",
        "model": {**unpacked.manifest, "configFile": "model-config.yaml"},
        "archiverVersion": "0.12.0",
    }
    (folder / "MAR-INF").mkdir()
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    return folder


def start(venv: Path, archive: Path, *, ours: bool) -> TorchServe:
    """A TorchServe whose environment has this library in front of torchserve's `ts`, or has not."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return TorchServe([archive], device="cpu", python=str(make_venv(venv, ours)), env=environment)


def check_handlers(server: TorchServe, ours: bool) -> None:
    """Sees to it that a server answers with the handlers that it is to answer with."""
    url = urllib.parse.urlsplit(server.management_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    connection.request("GET", f"/models/{MOBILENET.name}?customized=true")
    described = json.load(connection.getresponse())[0].get("customizedMetadata")
    connection.close()
    if ("settings" in json.dumps(described)) != ours:
        raise RuntimeError(f"the wrong handlers answer: {described}")


# The clients -------------------------------------------------------------------------------------------------


def measure(servers: dict[str, TorchServe], photos: list[bytes], options: argparse.Namespace) -> CaseResult:
    loads: dict[str, list[Load]] = {name: [] for name in servers}
    answers = {}
    for name, server in servers.items():
        check_handlers(server, ours=name == OURS)
        warm_up(server, photos, options)
        answers[name] = [json.loads(ask(connect(server), photo)) for photo in photos[:BATCH_SIZE]]
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for name in list(servers) if number % 2 == 0 else reversed(list(servers)):
            loads[name].append(put_under_load(servers[name], photos, options.clients, options.seconds))
    figures = {name: figures_of(name, loads[name]) for name in servers}
    found = compare("labels", answers[TORCHSERVE], answers[OURS])
    if found:
        figures[OURS].agreement = found.text
    return CaseResult(
        "rest",
        f"TorchServe, REST, {options.clients} clients, batchSize {BATCH_SIZE}, {MOBILENET.name} (TorchScript),"
        f" JPEGs of about {SMALL[0]}x{SMALL[1]}",
        "requests",
        list(figures.values()),
        findings(loads),
    )


def warm_up(server: TorchServe, photos: list[bytes], options: argparse.Namespace) -> None:
    """Asks until a server gets no faster: TorchScript compiles anew for the first batches of each size."""
    before = 0.0
    for _ in range(1 if options.quick else WARM_UPS):
        rate = put_under_load(server, photos, options.clients, options.seconds).rate
        if rate < 1.1 * before:
            break
        before = rate


def figures_of(name: str, loads: list[Load]) -> Figures:
    """A round's figure is the seconds that a request took of the server, so that their median gives the rate."""
    percentiles = {
        f"{label} ms": statistics.median(load.percentile(share) for load in loads)
        for label, share in (("p50", 0.5), ("p99", 0.99))
    }
    return Figures(name, 1, [1 / load.rate for load in loads], more=percentiles)


def findings(loads: dict[str, list[Load]]) -> list[Finding]:
    def ratio(what: str, values: dict[str, list[float]], least: Optional[float] = None) -> Finding:
        value = statistics.median(values[OURS]) / statistics.median(values[TORCHSERVE])
        by_round = [ours / its for ours, its in zip(values[OURS], values[TORCHSERVE])]
        return Finding(f"{OURS} / {TORCHSERVE}, {what}", value, *quartiles(by_round), least)

    def column(read: Any) -> dict[str, list[float]]:
        return {name: [read(load) for load in rounds] for name, rounds in loads.items()}

    return [
        ratio("requests a second", column(lambda load: load.rate), least=1.5),
        ratio("p50 latency", column(lambda load: load.percentile(0.5))),
        ratio("p99 latency", column(lambda load: load.percentile(0.99))),
    ]


def put_under_load(server: TorchServe, photos: list[bytes], clients: int, seconds: float) -> Load:
    """Asks a server from several threads for some seconds."""
    latencies: list[float] = []
    failures: list[BaseException] = []
    turns = itertools.cycle(photos)
    start = time.perf_counter()

    def client() -> None:
        connection = connect(server)
        try:
            while time.perf_counter() - start < seconds:
                photo, sent = next(turns), time.perf_counter()
                ask(connection, photo)
                latencies.append(time.perf_counter() - sent)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Load(len(latencies) / (time.perf_counter() - start), latencies)


def connect(server: TorchServe) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=TIMEOUT)


def ask(connection: http.client.HTTPConnection, photo: bytes) -> bytes:
    """The answer to a photo; the connection stays open.

    Raises:
        RuntimeError: the answer is no 200.
    """
    connection.request("POST", f"/predictions/{MOBILENET.name}", photo, {"Content-Type": "image/jpeg"})
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"the server answered {response.status}: {body[:200]!r}")
    return body


if __name__ == "__main__":
    main()
