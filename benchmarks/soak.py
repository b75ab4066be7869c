"""Keeps a live TorchServe busy, one request in ten of them bad, and looks at every answer.

    python benchmarks/soak.py [--requests N] [--clients N] [--kill-every SECONDS] [--seed N] [--json FILE]

Needs torchserve and a Java runtime: pip install 'torchserve-handlers[server]'. Four models answer on 127.0.0.1,
each by one worker and in batches: a classifier, a segmenter, a detector and a text classifier. Each different
request is asked alone first. Then clients ask all of them at random, and an answer is right if it is what the
request got alone. The script ends with 1 if

- an answer is wrong;
- a request is lost: it got no answer, or a 5xx. With `--kill-every`, a killed worker may lose one batch;
- a worker was started again that was not killed;
- a worker's resident memory grew in the second half: the median of the last quarter lies more than 5 %, and more
  than 20 MB, above that of the third quarter. With `--kill-every`, memory is only shown.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring.in_turn import say
from benchmarks.measuring.machine import describe
from benchmarks.soaking.archives import BATCH_SIZE, MODELS, write_archives
from benchmarks.soaking.asked import LARGEST_BODY, Asking
from benchmarks.soaking.clients import LOST, RIGHT, WRONG, Expected, Tally, put_under_load
from benchmarks.soaking.workers import MEGABYTE, Watch, WorkerHistory, growth, is_level
from ts.runner.torchserve.server import TorchServe


@dataclass
class Soaked:
    """What a soak found."""

    tally: Tally
    histories: dict[str, WorkerHistory]
    kills: int
    seconds: float

    def problems(self) -> list[str]:
        """What was not as it should be, a sentence each."""
        found = []
        if self.tally.total(WRONG):
            found.append(f"{self.tally.total(WRONG)} answers were wrong")
        if self.tally.total(LOST) > BATCH_SIZE * self.kills:
            found.append(
                f"{self.tally.total(LOST)} requests were lost, and {BATCH_SIZE} for each of {self.kills} kills"
                " are the most"
            )
        restarts = sum(history.restarts for history in self.histories.values())
        if restarts != self.kills:
            found.append(f"workers were started again {restarts} times, and killed {self.kills} times")
        for model, history in self.histories.items():
            if not self.kills and not is_level(history.resident):
                grown = growth(history.resident) / MEGABYTE
                found.append(
                    f"the memory of {model} grew by {grown:.0f} MB from the third quarter to the last"
                )
        return found

    def rows(self) -> list[dict[str, Any]]:
        """The figures, a dictionary a model."""
        rows = []
        for model, history in self.histories.items():
            counts = {verdict: self.tally.counts[model, verdict] for verdict in (RIGHT, WRONG, LOST)}
            memory = [round(resident / MEGABYTE) for resident in history.resident]
            rows.append(
                {
                    "model": model,
                    "requests": sum(counts.values()),
                    **counts,
                    "restarts": history.restarts,
                    "back after, s": [round(seconds, 1) for seconds in history.back],
                    "memory at first, MB": memory[0],
                    "half way, MB": memory[len(memory) // 2],
                    "at last, MB": memory[-1],
                    "last quarter beside the third, MB": round(growth(history.resident) / MEGABYTE, 1),
                }
            )
        return rows


def main(arguments: Optional[Sequence[str]] = None) -> int:
    options = parse_arguments(arguments)
    asking = Asking(options.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        server = stack.enter_context(serve(folder, asking, options.logs))
        say(
            f"seed {options.seed}: {len(asking.good)} good and {len(asking.bad)} bad requests, each alone first"
        )
        expected = Expected([*asking.good, *asking.bad], server.url)
        soaked = soak(server, asking, expected, options)
    report = {**describe(options.seed, 1), "requests": options.requests, "clients": options.clients}
    report.update(kills=soaked.kills, seconds=round(soaked.seconds), models=soaked.rows())
    report.update(problems=soaked.problems(), examples=soaked.tally.examples)
    print(text(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    return 1 if report["problems"] else 0


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Keeps a live TorchServe busy, and looks at every answer.")
    parser.add_argument("--requests", type=int, default=20_000, help="in all (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="at the same time (default: %(default)s)")
    parser.add_argument(
        "--kill-every", type=float, metavar="SECONDS", help="kill a worker that often (default: never)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--logs", type=Path, help="folder that the server's logs stay in")
    return parser.parse_args(arguments)


def serve(folder: Path, asking: Asking, logs: Optional[Path] = None) -> TorchServe:
    """The server of the four models, to be started by `with`."""
    archives = write_archives(folder, asking.vocabulary)
    config = {"max_request_size": str(LARGEST_BODY)}
    return TorchServe(archives, device="cpu", config=config, log_dir=logs)


def soak(server: TorchServe, asking: Asking, expected: Expected, options: argparse.Namespace) -> Soaked:
    """Asks a running server `options.requests` requests."""
    tally = Tally()
    names = [model.name for model in MODELS]
    with Watch(server.management_url, names, kill_every=options.kill_every) as watch:
        seconds = put_under_load(
            server.url,
            expected,
            asking.draws(options.seed),
            requests=options.requests,
            clients=options.clients,
            tally=tally,
            say=say,
        )
    return Soaked(tally, watch.histories, watch.kills, seconds)


def text(report: dict[str, Any]) -> str:
    """The report as a table and sentences."""
    lines = [
        f"{report['requests']:,} requests by {report['clients']} clients in {report['seconds']} s,"
        f" {report['kills']} workers killed, seed {report['seed']}"
    ]
    columns = list(report["models"][0])
    cells = [columns, *([_cell(row[column]) for column in columns] for row in report["models"])]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in cells]
    return "\n".join([*lines, *report["examples"], *(report["problems"] or ["all as it should be"])])


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) or "-" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main())
