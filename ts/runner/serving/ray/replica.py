"""A replica of Ray Serve: one archive's handler in a thread of its own, and the batcher before it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple, Optional

from ts.runner.answering.metrics import Measurement
from ts.runner.answering.model import Model, start_archive
from ts.runner.archives.archive import open_archive
from ts.runner.errors import ArchiveError
from ts.runner.fetching.reference import read_reference
from ts.runner.serving.batcher import Batcher, Begin, QueueFullError
from ts.runner.serving.replica import Replica
from ts.runner.serving.replies import Refused, Reply, no_response, queue_full
from ts.runner.serving.requests import Call
from ts.runner.serving.settings import ServingSettings, serving_settings

LAST_WORDS = 0.5  # seconds in which replies leave a process that is to end

logger = logging.getLogger(__name__)


class Measured(NamedTuple):
    """What a replica has measured.

    Attributes:
        batches: For each batch the seconds that its requests have waited.
        measurements: The handler's own.
    """

    batches: list[Sequence[float]]
    measurements: list[Measurement]


class Outcome(NamedTuple):
    """What comes back over Ray, which an exception with a reply in it would not survive.

    Attributes:
        reply: What the client gets.
        reason: Why no handler answered, for metrics; None if one did.
        measured: What no other outcome has told, about this request and others.
    """

    reply: Reply
    reason: Optional[str] = None
    measured: Measured = Measured([], [])


@dataclass(frozen=True)
class ReplicaOptions:
    """What a replica is told.

    Attributes:
        name: Of the model.
        source: The archive: a path that is the same on every node, or a URL.
        settings: How it is served.
        device: "auto" (the GPU that Ray gives, if any) or "cpu".
        metrics_file: Defines metrics that the handler finds; a path on every node.
        max_size: The bytes that the archive may unpack to.
    """

    name: str
    source: str
    settings: ServingSettings
    device: str = "auto"
    metrics_file: Optional[str] = None
    max_size: Optional[int] = None


class ArchiveReplica:
    """The class of an archive's deployment.

    Ray's own `@serve.batch` collects the next batch while the last one is still being answered, so that batches
    stay small however long the queue; hence the batcher here.
    """

    async def __init__(self, options: ReplicaOptions) -> None:  # type: ignore[misc]
        """Starts the handler.

        Raises:
            ArchiveError: The archive cannot be opened, or its handler does not start in time.
        """
        settings = options.settings
        self._options = options
        self._replica = Replica(lambda: started(options))
        try:
            await asyncio.wait_for(self._replica.start(), settings.startup_timeout)
        except asyncio.TimeoutError:
            limit = f"{settings.startup_timeout} seconds, its startupTimeout"
            source = read_reference(options.source)  # whose text has no credentials
            raise ArchiveError(f"the handler of {source} did not start within {limit}") from None
        self._measured = Measured([], [])
        self._batcher = Batcher(
            settings.batch_size, settings.max_batch_delay / 1000, settings.job_queue_size, self._note_batch
        )
        self._serving = asyncio.create_task(self._batcher.serve(self._answer_batch))
        self._serving.add_done_callback(self._end_process)

    async def answer(self, call: Call) -> Outcome:
        try:
            return Outcome(await self._batcher.answer(call), measured=self._take_measured())
        except QueueFullError:
            refused = queue_full(self._options.name, self._options.settings.job_queue_size)
        except Refused as error:
            refused = error
        return Outcome(refused.reply, refused.reason, self._take_measured())

    def _take_measured(self) -> Measured:
        taken, self._measured = self._measured, Measured([], [])
        return taken

    def _note_batch(self, waited: Sequence[float]) -> None:
        self._measured.batches.append(waited)

    def __del__(self) -> None:
        """Ray calls this when the requests at hand are answered, before it ends the process."""
        serving = self.__dict__.pop("_serving", None)
        if serving is not None and not serving.done():
            serving.remove_done_callback(self._end_process)
            serving.cancel()
            self._replica.close_and_wait()

    async def _answer_batch(self, calls: Sequence[Call], begin: Begin) -> Sequence[Reply]:
        limit = self._options.settings.response_timeout
        try:
            replies, measurements = await asyncio.wait_for(self._replica.answer(calls), limit)
        except asyncio.TimeoutError:
            raise no_response(limit) from None
        self._measured.measurements.extend(measurements)
        return replies

    def _end_process(self, serving: asyncio.Task[None]) -> None:
        """A handler that hangs can only be ended with its process; Ray starts another."""
        error = None if serving.cancelled() else serving.exception()
        logger.error("the replica of %s ends: %s", self._options.name, error)
        asyncio.get_running_loop().call_later(LAST_WORDS, os._exit, 1)


@contextmanager
def started(options: ReplicaOptions) -> Iterator[Model]:
    with open_archive(options.source, max_size=options.max_size, shared=True) as archive:
        batch_size = options.settings.batch_size
        if batch_size != serving_settings(archive).batch_size:
            archive = replace(archive, config={**archive.config, "batchSize": batch_size})
        with start_archive(archive, device=options.device, metrics_file=options.metrics_file) as model:
            yield model
