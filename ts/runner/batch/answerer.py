"""Answers files by a handler in a process of its own, which is started again when a file has ended it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Optional, Union

from ts.runner.answering.model import batches
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.batch.question import Question, read_content, unread
from ts.runner.batch.row import Row
from ts.runner.errors import ServerError
from ts.runner.serving.embedded.process import STOP_SECONDS, StartError, WorkerProcess, start_worker
from ts.runner.serving.embedded.worker import WorkerOptions
from ts.runner.serving.replies import Refused, Reply
from ts.runner.serving.requests import Call
from ts.runner.serving.settings import ServingSettings

READERS = 16  # files that are read at once, since each of a remote one takes its way
STARTS = 3  # that a handler has which had started before: what its last process held may not be free at once


@dataclass(frozen=True)
class AnswererOptions:
    """What is answered, and by what.

    Attributes:
        source: The archive: a path that is the same on every node, or a URL.
        settings: How it is served.
        question: What goes with each file.
        device: "auto" or "cpu".
        metrics_file: Defines metrics that the handler finds; a path on every node.
        max_size: The bytes that the archive may unpack to.
        log_level: Of the handler's process.
    """

    source: str
    settings: ServingSettings
    question: Question
    device: str = "auto"
    metrics_file: Optional[str] = None
    max_size: Optional[int] = None
    log_level: int = 30


class FileAnswerer:
    """Answers files, some at a time; the next batch is read while the last one is being answered.

    A batch whose process dies, or does not answer within the archive's `responseTimeout`, is asked once more, each
    file alone: so one that ends its process twice gets a 503, and the others their answers.

    Raises:
        ArchiveError: The archive cannot be opened.
        ServerError: Its handler does not start.
    """

    def __init__(self, options: AnswererOptions) -> None:
        self._options = options
        self._stack = ExitStack()
        self._loop = asyncio.new_event_loop()
        self._stack.callback(self._loop.close)
        self._readers = self._stack.enter_context(ThreadPoolExecutor(READERS))
        self._worker: Optional[WorkerProcess] = None
        with ExitStack() as failed:
            failed.callback(self._stack.close)
            self._archive: Archive = self._stack.enter_context(
                open_archive(options.source, max_size=options.max_size, shared=True)
            )
            self._loop.run_until_complete(self._start(tries=1))
            failed.pop_all()

    def answer(self, paths: Sequence[str]) -> Iterator[list[Row]]:
        """A row a file, in the same order, batch by batch.

        Raises:
            ServerError: The handler does not start again.
        """
        todo = list(batches(paths, self._options.settings.batch_size))
        reading = [self._loop.create_task(self._read(batch)) for batch in todo[:1]]
        for number, batch in enumerate(todo):
            following = todo[number + 1 : number + 2]
            reading.extend(self._loop.create_task(self._read(batch)) for batch in following)
            yield self._loop.run_until_complete(self._rows(batch, reading.pop(0)))

    def close(self) -> None:
        """Ends the handler's process, and deletes what was unpacked."""
        if self._worker is not None:
            self._loop.run_until_complete(self._stop(STOP_SECONDS))
        self._stack.close()

    async def _read(self, paths: Sequence[str]) -> list[Union[Call, Reply]]:
        """The requests with the files' contents; for a file that cannot be read, its answer."""
        loop = asyncio.get_running_loop()
        return await asyncio.gather(
            *(loop.run_in_executor(self._readers, self._call_of, path) for path in paths)
        )

    def _call_of(self, path: str) -> Union[Call, Reply]:
        try:
            return self._options.question.call(path, read_content(path))
        except Exception as error:
            return unread(error)

    async def _rows(self, paths: Sequence[str], reading: asyncio.Task[list[Union[Call, Reply]]]) -> list[Row]:
        items = await reading
        replies = iter(await self._replies([item for item in items if isinstance(item, Call)]))
        given = [next(replies) if isinstance(item, Call) else item for item in items]
        return [Row(path, reply.status, reply.content_type, reply.body) for path, reply in zip(paths, given)]

    async def _replies(self, calls: Sequence[Call]) -> list[Reply]:
        if not calls:
            return []
        try:
            return await self._ask(calls)
        except Refused:
            return [await self._reply_alone(call) for call in calls]

    async def _reply_alone(self, call: Call) -> Reply:
        try:
            return (await self._ask([call]))[0]
        except Refused as refused:
            return refused.reply

    async def _ask(self, calls: Sequence[Call]) -> list[Reply]:
        """What the handler answers.

        Raises:
            Refused: Its process died, or hung and was ended.
        """
        worker = self._worker or await self._start(STARTS)
        try:
            return list((await worker.answer(calls)).replies)
        except Refused:
            await self._stop(0)
            raise

    async def _start(self, tries: int) -> WorkerProcess:
        options, settings = self._options, self._options.settings
        given = WorkerOptions(
            str(self._archive.source),
            self._archive.origin,
            str(self._archive.root),
            0,
            options.device,
            settings.batch_size,
            options.metrics_file,
            options.log_level,
        )
        limits = {
            "startup_timeout": settings.startup_timeout,
            "response_timeout": settings.response_timeout,
        }
        try:
            self._worker = await start_worker(given, dict(os.environ), **limits)
        except StartError as error:
            if tries == 1:
                raise ServerError(str(error)) from error
            await asyncio.sleep(1)
            return await self._start(tries - 1)
        return self._worker

    async def _stop(self, seconds: float) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop(seconds=seconds)
