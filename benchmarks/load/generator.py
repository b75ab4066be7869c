"""The load generator: a process of its own, which is told what to send by lines of JSON, and answers by such.

Started as `python -m benchmarks.load.generator`; use `Generator`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Optional

from benchmarks.load.clients import closed_loop, open_loop, read_requests
from benchmarks.processes.namespace import ROOT
from benchmarks.processes.trees import own_seconds


class Generator:
    """The process, for the time of a `with` block."""

    def __enter__(self) -> Generator:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: Any) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def cpu_seconds(self) -> float:
        return own_seconds(self._process.pid)

    def send(self, tasks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Puts servers under load at the same time, and returns what came back of each.

        Args:
            tasks: Each with `port`, `requests` (see `read_requests`), and `clients` and `seconds`, or `times`;
                with `trace` each request's times come back too.

        Raises:
            RuntimeError: The process has ended.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(tasks) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator has ended")
        return json.loads(line)


async def run(tasks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*(put_under_load(**task) for task in tasks)))


async def put_under_load(
    port: int,
    requests: dict[str, Any],
    clients: int = 0,
    seconds: float = 0,
    times: Optional[Sequence[float]] = None,
    trace: bool = False,
) -> dict[str, Any]:
    made = read_requests(port, requests)
    try:
        if times is not None:
            return await open_loop(port, made, times)
        return await closed_loop(port, made, clients, seconds, trace)
    except OSError as error:  # the server has ended
        return {"seconds": 1.0, "latencies": [], "failed": {f"no connection: {error.strerror}": 1}}


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: it can send several times as much."""
    if importlib.util.find_spec("uvloop"):
        import uvloop

        return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def main() -> None:
    loop = new_loop()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(loop.run_until_complete(run(json.loads(line)))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
