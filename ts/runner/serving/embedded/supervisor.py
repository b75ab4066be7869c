"""A served archive: its workers, which are started again when they die, and the requests that wait for them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Optional

from ts.runner.archives.archive import Archive
from ts.runner.serving.batcher import Batcher, Begin, IsAwaited, QueueFullError
from ts.runner.serving.embedded.process import STOP_SECONDS, StartError, WorkerProcess
from ts.runner.serving.metrics import ModelMeter
from ts.runner.serving.replies import Refused, Reply, no_worker, queue_full, stopping
from ts.runner.serving.requests import Call
from ts.runner.serving.settings import ServingSettings

logger = logging.getLogger(__name__)

PAUSES = (0, 1, 2, 4, 8, 10)  # seconds before a worker is started again, by how often in a row it has died
LONG_LIFE = 60  # seconds, after which a worker's death is the first again

Start = Callable[[int], Awaitable[WorkerProcess]]


class ServedArchive:
    """Answers requests to one archive by `min_workers` processes.

    A handler that does not start the first time is given up: what it lacks will not come by itself. One that has
    started is started again whenever a worker dies; requests wait meanwhile, until a new start fails.

    Args:
        archive: The archive.
        settings: How it is to be served.
        start: Starts the worker of an index.
        meter: Is told what happens.

    Attributes:
        failure: Why it was given up; None if it was not.
    """

    def __init__(self, archive: Archive, settings: ServingSettings, start: Start, meter: ModelMeter) -> None:
        self.name = archive.name
        self.version: str = archive.model["modelVersion"]
        self.archive = Path(archive.origin).name
        self.settings = settings
        self.failure: Optional[str] = None
        self._runtime = archive.manifest.get("runtime", "python")
        self._start = start
        self._meter = meter
        delay = settings.max_batch_delay / 1000
        self._batcher = Batcher(settings.batch_size, delay, settings.job_queue_size, meter.batch)
        self._workers: dict[int, tuple[WorkerProcess, datetime]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._has_started = False
        self._is_down = False  # the last start failed
        self._decided = asyncio.Event()

    @property
    def is_healthy(self) -> bool:
        return self._decided.is_set() and not (self._is_down or self.has_failed)

    @property
    def has_failed(self) -> bool:
        return self.failure is not None

    def begin(self) -> None:
        """Starts the workers."""
        self._tasks = [
            asyncio.create_task(self._keep_running(index)) for index in range(self.settings.min_workers)
        ]

    async def decided(self) -> None:
        """Waits until all workers have started, or the archive is given up."""
        await self._decided.wait()

    async def close(self) -> None:
        """Ends the workers; requests that wait get a 503."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._batcher.refuse_all(stopping())

    async def answer(self, call: Call, is_awaited: IsAwaited) -> Reply:
        if self.failure is not None or (self._is_down and not self._workers):
            raise no_worker(self.name)
        try:
            return await self._batcher.answer(call, is_awaited)
        except QueueFullError:
            raise queue_full(self.name, self.settings.job_queue_size) from None

    def facts(self) -> dict[str, Any]:
        settings, waiting = self.settings, len(self._batcher)
        return {
            "modelName": self.name,
            "modelVersion": self.version,
            "modelUrl": self.archive,
            "runtime": self._runtime,
            "minWorkers": settings.min_workers,
            "maxWorkers": settings.max_workers,
            "batchSize": settings.batch_size,
            "maxBatchDelay": settings.max_batch_delay,
            "responseTimeout": settings.response_timeout,
            "startupTimeout": settings.startup_timeout,
            "loadedAtStartup": True,
            "workers": [
                {
                    "id": str(index),
                    "startTime": began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                    "status": "READY",
                    "pid": worker.pid,
                }
                for index, (worker, began) in sorted(self._workers.items())
            ],
            "jobQueueStatus": {
                "remainingCapacity": settings.job_queue_size - waiting,
                "pendingRequests": waiting,
            },
        }

    async def _keep_running(self, index: int) -> None:
        deaths = 0
        while self.failure is None:
            try:
                worker = await self._start(index)
            except StartError as error:
                self._start_failed(error)
                deaths += 1
            else:
                began = time.monotonic()
                await self._work(index, worker)
                deaths = 1 if time.monotonic() - began > LONG_LIFE else deaths + 1
            self._meter.restarted()
            await asyncio.sleep(PAUSES[min(deaths - 1, len(PAUSES) - 1)])

    def _start_failed(self, error: StartError) -> None:
        if self._has_started:
            logger.error("a worker of %s did not start again: %s", self.name, error)
            self._is_down = True
        else:
            self.failure = str(error)
            self._decided.set()
        if not self._workers:
            self._batcher.refuse_all(no_worker(self.name))

    async def _work(self, index: int, worker: WorkerProcess) -> None:
        """Lets a worker answer batches until it dies, or this is cancelled."""
        self._workers[index] = worker, datetime.now(timezone.utc)
        self._has_started, self._is_down = True, False
        self._meter.workers(len(self._workers))
        if len(self._workers) == self.settings.min_workers:
            self._decided.set()

        async def run(calls: Sequence[Call], begin: Begin) -> Sequence[Reply]:
            replies, measured = await worker.answer(calls, begin)
            self._meter.measured(measured)
            return replies

        serving = asyncio.create_task(self._batcher.serve(run))
        patience = STOP_SECONDS
        try:
            await asyncio.wait({serving, worker.closed}, return_when=asyncio.FIRST_COMPLETED)
            patience = 0  # it has ended, or hangs
            logger.error("worker %d of %s died: %s", worker.pid, self.name, cause(serving))
        finally:
            del self._workers[index]
            self._meter.workers(len(self._workers))
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await worker.stop(seconds=patience)


def cause(serving: asyncio.Task[None]) -> str:
    error = serving.exception() if serving.done() and not serving.cancelled() else None
    return str(error or "while it had nothing to do") if not isinstance(error, Refused) else error.reason
