"""MicroBatching: parts of a batch pass through a handler's hooks at the same time, as along an assembly line."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Optional

from ts.handler_utils.answering.batch import BatchAnswering
from ts.handler_utils.parts import has_parts
from ts.handler_utils.requests.envelope_rows import context_of_rows
from ts.handler_utils.requests.rows import RowsContext
from ts.handler_utils.timer import handler_time
from ts.handler_utils.worker import worker_for

HANDLER_METHODS = ["preprocess", "inference", "postprocess"]
PROFILER_AVAILABLE = True


class MicroBatching:
    """Stands in for a handler's `handle`: while one micro batch is inferred, the next one is preprocessed.

    Used as torchserve's class of this name, which it replaces: there a row that cannot be read stops the thread
    that reads it, and the batch is never answered; and the options of requests are lost.

    Each micro batch is answered in a thread, with its own rows, options and `context`. What a hook writes on
    `self` without having read it is its micro batch's own, too; what it has read first, such as a counter, is
    shared by all.

    Example:
        ```python
        class Pipelined(ImageClassifier):
            def __init__(self):
                super().__init__()
                self.handle = MicroBatching(self)  # here: TorchServe takes `handle` before it calls `initialize`

            def initialize(self, context):
                super().initialize(context)
                settings = context.model_yaml_config["micro_batching"]
                self.handle.micro_batch_size = settings["micro_batch_size"]
                self.handle.parallelism = settings["parallelism"]
        ```

    The default handlers need no such class: the setting `micro_batch` does the same.

    Attributes:
        handler: the handler.
        micro_batch_size: rows of a micro batch, at most.
    """

    def __init__(
        self, parent_handler: Any, micro_batch_size: int = 1, parallelism: Mapping[str, int] | None = None
    ) -> None:
        """Takes the place of `parent_handler.handle`, once it is assigned to it.

        Args:
            parent_handler: a `BaseHandler`; or any handler with its three hooks, whose micro batches then are
                answered all or nothing.
            micro_batch_size: rows of a micro batch, at most.
            parallelism: how many micro batches may be in a hook at the same time; 1 unless it is named. To set it
                again changes what it names. 0 counts as 1: torchserve takes it, and then never answers.

        Raises:
            TypeError: the handler lacks one of the hooks.
            ValueError: a number is not a whole one, or `parallelism` names something else than hooks.
        """
        if not all(callable(getattr(parent_handler, hook, None)) for hook in HANDLER_METHODS):
            kind = type(parent_handler).__name__
            raise TypeError(f"MicroBatching takes a handler with {', '.join(HANDLER_METHODS)}, not a {kind}")
        self.handler = parent_handler
        self.micro_batch_size = micro_batch_size
        self._thread = threading.local()
        self._parallelism: dict[str, int] = {}
        self.parallelism = parallelism or {}

    @property
    def micro_batch_size(self) -> int:
        return self._micro_batch_size

    @micro_batch_size.setter
    def micro_batch_size(self, rows: int) -> None:
        self._micro_batch_size = _whole("micro_batch_size", rows, least=1)

    @property
    def parallelism(self) -> dict[str, int]:
        """How many micro batches may be in each hook at the same time; may be set while no batch is answered."""
        return dict(self._parallelism)

    @parallelism.setter
    def parallelism(self, parallelism: Mapping[str, int]) -> None:
        unknown = sorted(set(parallelism) - set(HANDLER_METHODS))
        if unknown:
            raise ValueError(
                f"micro_batching: parallelism is of {', '.join(HANDLER_METHODS)}: not {unknown[0]!r}"
            )
        for hook, limit in parallelism.items():
            self._parallelism[hook] = _whole(f"parallelism: {hook}", limit, least=0)
        limits = {hook: self._parallelism.get(hook, 1) or 1 for hook in HANDLER_METHODS}
        self._turns = {hook: threading.Semaphore(limit) for hook, limit in limits.items()}
        self.shutdown()
        self._threads = ThreadPoolExecutor(sum(limits.values()), thread_name_prefix="micro-batch")

    def shutdown(self) -> None:
        """Ends the threads, once they have answered what they have begun."""
        threads = getattr(self, "_threads", None)
        if threads is not None:
            threads.shutdown()

    def get_micro_batch_idx(self) -> Optional[int]:
        """For hooks: the index of the micro batch that this thread answers, in its batch; outside of any, None.

        A hook that asks looks its requests up by that index, as hooks do with torchserve's class: from then on
        `self.context` is that of the whole batch.
        """
        worker = getattr(self._thread, "worker", None)
        if worker is not None:
            worker.context = self._thread.context
        return getattr(self._thread, "index", None)

    def __call__(self, data: Any, context: Any) -> list[Any]:
        """Answers a batch, as `BaseHandler.handle` does."""
        rows = list(data or [])
        if has_parts(self.handler):
            return BatchAnswering.of(self.handler).answer_batch(rows, context, partial(self._in_parts, rows))
        with handler_time(context):
            answers = self._in_parts(rows, context_of_rows(context, len(rows)))
        self.handler.context = context
        return answers

    def _in_parts(self, rows: list[Any], context: Any) -> list[Any]:
        def answer(number: int, start: int) -> list[Any]:
            self._thread.index, self._thread.context = number, context
            part = rows[start : start + self.micro_batch_size]
            return self._answer(part, RowsContext(context, range(start, start + len(part))))

        starts = range(0, len(rows), self.micro_batch_size)
        answers = self._threads.map(answer, range(len(starts)), starts)
        return [answer for part in answers for answer in part]

    def _answer(self, rows: list[Any], context: Any) -> list[Any]:
        worker = self._thread.worker = worker_for(self.handler)
        worker.context = context
        if has_parts(self.handler):
            return BatchAnswering.of(worker).answer(rows, context, self._turns)
        result: Any = rows
        for hook, turn in self._turns.items():
            with turn:
                result = getattr(worker, hook)(result)
        return result


def _whole(name: str, value: Any, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"micro_batching: {name} must be a whole number from {least} up, not {value!r}")
    return value
