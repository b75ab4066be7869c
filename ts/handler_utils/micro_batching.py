"""MicroBatching: parts of a batch pass through a handler's hooks at the same time, as along an assembly line."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, Callable

from ts.handler_utils.answering.batch import BatchAnswering
from ts.handler_utils.answering.workflows import stop_workflows
from ts.handler_utils.parts import has_parts
from ts.handler_utils.requests.envelope_rows import context_of_rows
from ts.handler_utils.requests.rows import RowsContext
from ts.handler_utils.timer import handler_time

HANDLER_METHODS = ["preprocess", "inference", "postprocess"]
PROFILER_AVAILABLE = True


class MicroBatching:
    """Stands in for a handler's `handle`: while one micro batch is inferred, the next one is preprocessed.

    Used as torchserve's class of this name, which it replaces: there a row that cannot be read stops the thread
    that reads it, and the batch is never answered; and the options of requests are lost.

    Each micro batch is answered by a shallow copy of the handler, in a thread. So it has its own rows, options and
    context, and what a hook writes on `self` belongs to one micro batch; the model is shared.

    Example:
        class Pipelined(ImageClassifier):
            def __init__(self):
                super().__init__()
                self.handle = MicroBatching(self)  # here: TorchServe takes `handle` before it calls `initialize`

            def initialize(self, context):
                super().initialize(context)
                settings = context.model_yaml_config["micro_batching"]
                self.handle.micro_batch_size = settings["micro_batch_size"]
                self.handle.parallelism = settings["parallelism"]

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
            parallelism: how many micro batches may be in a hook at the same time; 1 unless it is named.

        Raises:
            TypeError: the handler lacks one of the hooks.
            ValueError: a number is not a whole one above 0, or `parallelism` names something else than hooks.
        """
        if not all(callable(getattr(parent_handler, hook, None)) for hook in HANDLER_METHODS):
            kind = type(parent_handler).__name__
            raise TypeError(f"MicroBatching takes a handler with {', '.join(HANDLER_METHODS)}, not a {kind}")
        self.handler = parent_handler
        self.micro_batch_size = micro_batch_size
        self._thread = threading.local()
        self.parallelism = parallelism or {}

    @property
    def micro_batch_size(self) -> int:
        return self._micro_batch_size

    @micro_batch_size.setter
    def micro_batch_size(self, rows: int) -> None:
        self._micro_batch_size = _above_zero("micro_batch_size", rows)

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
        limits = {
            hook: _above_zero(f"parallelism: {hook}", parallelism.get(hook, 1)) for hook in HANDLER_METHODS
        }
        self._parallelism = dict(parallelism)
        self._turns = {hook: threading.Semaphore(limit) for hook, limit in limits.items()}
        self.shutdown()
        self._threads = ThreadPoolExecutor(sum(limits.values()), thread_name_prefix="micro-batch")

    def shutdown(self) -> None:
        """Ends the threads, once they have answered what they have begun."""
        threads = getattr(self, "_threads", None)
        if threads is not None:
            threads.shutdown()

    def get_micro_batch_idx(self) -> int:
        """For hooks: the index of the micro batch that this thread answers, in its batch."""
        return self._thread.index

    def __call__(self, data: Any, context: Any) -> list[Any]:
        """Answers a batch, as `BaseHandler.handle` does."""
        with handler_time(context):
            rows = list(data or [])
            row_context = context_of_rows(context, len(rows))

            def answer(number: int, start: int) -> list[Any]:
                self._thread.index = number
                stop = min(start + self.micro_batch_size, len(rows))
                part = RowsContext(row_context, range(start, stop))
                return _answer(self._worker(), rows[start:stop], part)

            starts = range(0, len(rows), self.micro_batch_size)
            answers = self._threads.map(answer, range(len(starts)), starts)
            result = [answer for part in answers for answer in part]
        self.handler.context = context
        return stop_workflows(result, context)

    def _worker(self) -> Any:
        """A copy of the handler, for one micro batch, whose hooks wait for their turns."""
        worker = copy.copy(self.handler)
        vars(worker).pop("handle", None)
        mine: list[str] = []
        for hook, turn in self._turns.items():
            setattr(worker, hook, _in_turn(getattr(worker, hook), turn, mine))
        return worker


def _answer(worker: Any, rows: list[Any], context: Any) -> list[Any]:
    if has_parts(worker):
        return BatchAnswering.of(worker).answer(rows, context)
    worker.context = context
    return worker.postprocess(worker.inference(worker.preprocess(rows)))


def _in_turn(hook: Callable[..., Any], turn: threading.Semaphore, mine: list[str]) -> Callable[..., Any]:
    """A hook that waits for its turn, unless another hook of the same worker calls it, which has one."""

    @wraps(hook)
    def run(*args: Any, **kwargs: Any) -> Any:
        if mine:
            return hook(*args, **kwargs)
        with turn:
            mine.append(hook.__name__)
            try:
                return hook(*args, **kwargs)
            finally:
                mine.clear()

    return run


def _above_zero(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"micro_batching: {name} must be a whole number above 0, not {value!r}")
    return value
