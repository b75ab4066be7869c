"""Batches, formed at the moment when a worker is free to answer one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Callable, Optional

from ts.runner.serving.replies import Reply, client_left, stopping
from ts.runner.serving.requests import Call

IsAwaited = Callable[[], bool]  # whether the client still waits for a reply
Begin = Callable[
    [int, Reply], None
]  # replies to a call of a batch, by its index, before all of them are answered
Run = Callable[[Sequence[Call], Begin], Awaitable[Sequence[Reply]]]


def always() -> bool:
    return True


class QueueFullError(Exception):
    """As many requests wait as may."""


@dataclass(frozen=True)
class Job:
    call: Call
    reply: asyncio.Future[Reply]
    arrived: float
    is_awaited: IsAwaited

    def resolve(self, reply: Reply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)

    def drop_if_left(self) -> bool:
        """Whether nobody waits for the reply any more; then there is none."""
        is_left = self.reply.done() or not self.is_awaited()
        if is_left:
            self.fail(client_left())
        return is_left


class Batcher:
    """The requests that wait for a model, and the workers that take them.

    While every worker is busy requests gather, and whoever is free first takes as many as make a batch. A batch
    formed earlier would stay as small as what came within one delay, however long the queue.

    Args:
        size: The most requests of a batch.
        delay: Seconds for which a batch that is not full waits for more requests, from when its first is taken.
        waiting: The most requests that wait.
        on_batch: Called with the seconds that each request of a batch has waited, before the batch is answered.
    """

    def __init__(
        self,
        size: int,
        delay: float,
        waiting: int,
        on_batch: Optional[Callable[[Sequence[float]], None]] = None,
    ) -> None:
        self.size = size
        self.delay = delay
        self.waiting = waiting
        self._on_batch = on_batch
        self._jobs: deque[Job] = deque()
        self._taking = asyncio.Lock()  # one worker at a time fills its batch
        self._arrival: Optional[asyncio.Future[bool]] = None  # that the one waits for

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._jobs)

    async def answer(self, call: Call, is_awaited: IsAwaited = always) -> Reply:
        """Puts a request at the end of the queue, and waits for its reply.

        Args:
            call: The request.
            is_awaited: Asked when it is the request's turn; it is dropped if its client has left.

        Raises:
            QueueFullError: Too many wait.
            Refused: Its worker died, nobody answered it, or its client has left.
        """
        if len(self._jobs) >= self.waiting:
            self._drop_left()
        if len(self._jobs) >= self.waiting:
            raise QueueFullError
        job = Job(call, asyncio.get_running_loop().create_future(), time.monotonic(), is_awaited)
        self._jobs.append(job)
        self._notify(True)
        return await job.reply

    async def serve(self, run: Run) -> None:
        """Answers batches by `run`, until that raises an exception; the requests of its batch raise it, too."""
        while True:
            await answer_batch(await self._take(), run)

    def refuse_all(self, error: Exception) -> None:
        """Lets every request that waits raise an exception."""
        fail(self._jobs, error)
        self._jobs.clear()

    def _drop_left(self) -> None:
        """Makes room: requests whose clients have left wait for nothing."""
        waiting = [job for job in self._jobs if not job.drop_if_left()]
        self._jobs.clear()
        self._jobs.extend(waiting)

    async def _take(self) -> list[Job]:
        batch: list[Job] = []
        try:
            async with self._taking:
                await self._fill(batch)
        except asyncio.CancelledError:
            self._jobs.extendleft(reversed(batch))  # for another worker
            raise
        if self._on_batch:
            now = time.monotonic()
            self._on_batch([now - job.arrived for job in batch])
        return batch

    async def _fill(self, batch: list[Job]) -> None:
        end = None
        while len(batch) < self.size:
            if self._jobs:
                job = self._jobs.popleft()
                if not job.drop_if_left():
                    batch.append(job)
            elif not batch:
                await self._next_arrival()
            else:
                now = time.monotonic()
                end = end or now + self.delay
                if end <= now or not await self._next_arrival(end - now):
                    return

    async def _next_arrival(self, timeout: Optional[float] = None) -> bool:
        """Whether a request came within so many seconds."""
        loop = asyncio.get_running_loop()
        self._arrival = loop.create_future()
        timer = loop.call_later(timeout, self._notify, False) if timeout is not None else None
        try:
            return await self._arrival
        finally:
            self._arrival = None
            if timer:
                timer.cancel()

    def _notify(self, arrived: bool) -> None:
        if self._arrival and not self._arrival.done():
            self._arrival.set_result(arrived)


async def answer_batch(batch: Sequence[Job], run: Run) -> None:
    def begin(index: int, reply: Reply) -> None:
        batch[index].resolve(reply)

    try:
        replies = await run([job.call for job in batch], begin)
    except asyncio.CancelledError:
        fail(batch, stopping())
        raise
    except Exception as error:
        fail(batch, error)
        raise
    for job, reply in zip(batch, replies):
        job.resolve(reply)


def fail(jobs: Sequence[Job], error: Exception) -> None:
    for job in jobs:
        job.fail(error)
