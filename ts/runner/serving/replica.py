"""A replica: one thread that loads a model and owns it, behind a coroutine that an event loop can await."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from typing import Callable

from ts.runner.answering.model import Model
from ts.runner.serving.answerer import Answered, answer_calls
from ts.runner.serving.requests import Call


class Replica:
    """Answers batches of calls in a thread of its own, one at a time, so that its process can do other things.

    Example:
        replica = Replica(lambda: load_archive("kitten.mar"))
        await replica.start()
        replies, times = await replica.answer(calls)

    Args:
        load: Makes a context manager that gives the model, such as `load_archive` does; it is entered and left in
            the thread.
    """

    def __init__(self, load: Callable[[], AbstractContextManager[Model]]) -> None:
        self._load = load
        self._thread = ThreadPoolExecutor(1, "handler")
        self._stack = ExitStack()
        self._model: Model

    async def start(self) -> Model:
        """Loads the model.

        Raises:
            RunnerError: The archive cannot be opened, or its handler does not start.
        """
        self._model = await self._run(lambda: self._stack.enter_context(self._load()))
        return self._model

    async def answer(self, calls: Sequence[Call]) -> Answered:
        return await self._run(lambda: answer_calls(self._model, calls))

    async def close(self) -> None:
        """Ends the model after the batch at hand."""
        await self._run(self._stack.close)
        self._thread.shutdown()

    def close_and_wait(self) -> None:
        """As `close`, where nothing can be awaited."""
        self._thread.submit(self._stack.close).result()
        self._thread.shutdown()

    async def _run(self, function: Callable):  # type: ignore[no-untyped-def]
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
