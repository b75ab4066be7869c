"""The server's worker processes: their memory over time, their restarts, and their sudden ends."""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import threading
import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import psutil

MEGABYTE = 1e6
LEVEL_SHARE, LEVEL_BYTES = 0.05, 20 * MEGABYTE
BACK_SECONDS = 60  # after which a killed worker is given up


@dataclass
class WorkerHistory:
    """The worker of one model over time.

    Attributes:
        pids: of its processes, the first one first.
        resident: bytes of resident memory, sample by sample.
        back: the seconds that each restart after a kill took.
    """

    pids: list[int] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    back: list[float] = field(default_factory=list)

    @property
    def restarts(self) -> int:
        return max(0, len(self.pids) - 1)


def growth(resident: Sequence[int]) -> float:
    """How many bytes the median of the last quarter of samples lies above that of the third quarter."""
    quarter = len(resident) // 4
    if quarter == 0:
        return 0.0
    third, last = resident[-2 * quarter : -quarter], resident[-quarter:]
    return statistics.median(last) - statistics.median(third)


def is_level(resident: Sequence[int]) -> bool:
    """Whether memory is level over the second half: the last quarter may be 5 %, or 20 MB, above the third."""
    quarter = len(resident) // 4
    if quarter == 0:
        return True
    third = statistics.median(resident[-2 * quarter : -quarter])
    return growth(resident) <= max(LEVEL_SHARE * third, LEVEL_BYTES)


class Watch:
    """Looks at all workers again and again, for the time of a `with` block.

    Attributes:
        histories: by model.
        kills: how many workers were killed.
    """

    def __init__(
        self,
        management_url: str,
        models: Sequence[str],
        *,
        every: float = 1.0,
        kill_every: Optional[float] = None,
    ) -> None:
        """
        Args:
            management_url: of the server.
            models: those whose workers are watched.
            every: seconds between two samples.
            kill_every: seconds between two kills, of one model's worker after the other; None for no kills.
        """
        self.histories = {model: WorkerHistory() for model in models}
        self.kills = 0
        self._netloc = urllib.parse.urlsplit(management_url).netloc
        self._every, self._kill_every = every, kill_every
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._sample_all)]
        if kill_every:
            self._threads.append(threading.Thread(target=self._kill_all))

    def __enter__(self) -> Watch:
        self._sample()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._sample()

    def pid(self, model: str) -> Optional[int]:
        """The process of a model's worker; None while it has none that is ready."""
        ready = [
            worker for worker in self._workers(model) if worker["status"] == "READY" and worker["pid"] > 0
        ]
        return int(ready[0]["pid"]) if ready else None

    def kill(self, model: str) -> None:
        """Kills the worker of a model, and waits until there is another.

        Raises:
            RuntimeError: there is none after a minute.
        """
        pid = self.pid(model)
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        self.kills += 1
        killed = time.perf_counter()
        while self.pid(model) in (None, pid):
            if time.perf_counter() - killed > BACK_SECONDS:
                raise RuntimeError(
                    f"the worker of {model} was killed, and is not back after {BACK_SECONDS} s"
                )
            time.sleep(0.1)
        self.histories[model].back.append(time.perf_counter() - killed)

    def _sample_all(self) -> None:
        while not self._ended.wait(self._every):
            self._sample()

    def _sample(self) -> None:
        for model, history in self.histories.items():
            pid = self.pid(model)
            if pid is None:
                continue
            if pid not in history.pids:
                history.pids.append(pid)
            try:
                history.resident.append(psutil.Process(pid).memory_info().rss)
            except psutil.NoSuchProcess:
                continue  # the server does not know yet

    def _kill_all(self) -> None:
        turn = 0
        models = list(self.histories)
        while not self._ended.wait(self._kill_every):
            self.kill(models[turn % len(models)])
            turn += 1

    def _workers(self, model: str) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection(self._netloc, timeout=30)
        try:
            connection.request("GET", f"/models/{model}")
            return list(json.load(connection.getresponse())[0]["workers"])
        finally:
            connection.close()
