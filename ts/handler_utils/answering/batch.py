"""The way of a batch through the hooks of a handler."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import chain, repeat
from typing import Any, Callable, Optional

from ts.handler_utils.answering.envelopes import SharedAnswer, check_rows
from ts.handler_utils.answering.leaving import answer_of
from ts.handler_utils.answering.reruns import Reruns
from ts.handler_utils.answering.workflows import stop_workflows
from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.parts import Part
from ts.handler_utils.profiler import run_profiled
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.envelope_rows import context_of_rows
from ts.handler_utils.requests.rows import (
    RerunContext,
    RowsContext,
    Run,
    answer_rows,
)
from ts.handler_utils.timer import handler_time

# Answers some rows: by a prediction, an explanation, or a description.
Way = Callable[[list[Any]], Any]

# How many threads may be in a hook at the same time, by its name.
Turns = Mapping[str, threading.Semaphore]


class BatchAnswering(Part):
    """Answers batches by a handler's hooks, one result or error a row.

    Attributes:
        in_parts: the `MicroBatching` that answers larger batches; None where they are answered whole.
    """

    in_parts: Optional[Any] = None

    def handle(self, data: Any, context: Any) -> list[Any]:
        """See `BaseHandler.handle`."""
        if self.in_parts is not None and len(data or ()) > self.in_parts.micro_batch_size:
            return self.in_parts(data, context)
        rows = list(data or [])
        return self.answer_batch(rows, context, partial(self.answer, rows))

    def answer_batch(self, rows: list[Any], context: Any, answer: Callable[[Any], list[Any]]) -> list[Any]:
        """Answers a batch that the server has sent.

        Args:
            rows: one a request, or several, by an envelope.
            context: the server's.
            answer: answers the rows, called with their context: its index 0, 1, ... stand for them.
        """
        check_rows(self.handler, rows, context)
        row_context = context_of_rows(context, len(rows))
        SharedAnswer.of(self.handler).begin()
        with handler_time(context):
            answers = answer(row_context)
        self.handler.context = context
        return stop_workflows(answers, context)

    def answer(self, rows: list[Any], context: Any, turns: Optional[Turns] = None) -> list[Any]:
        """Answers the rows of a batch, each in its own way.

        Args:
            rows: one a request.
            context: of these rows: its index 0, 1, ... stand for them.
            turns: what hooks wait for, where several threads answer parts of a batch.

        Raises:
            Exception: the error of a hook, where the context takes no statuses, as in a test of a handler.
        """
        answers: list[Any] = [None] * len(rows)
        try:
            for way, indexes in self._ways(context, len(rows), turns or {}).items():
                run = self._run(way, rows, context)
                for index, answer in zip(indexes, answer_rows(run, indexes, self._remember(context))):
                    answers[index] = answer_of(self.handler, context, index, answer)
        finally:
            CurrentBatch.of(self.handler).begin((), context)
        return answers

    def predict(self, rows: list[Any], turns: Optional[Turns] = None) -> Any:
        """Passes rows through the three hooks."""
        result = rows
        for hook in ("preprocess", "inference", "postprocess"):
            with (turns or {}).get(hook, nullcontext()):
                result = getattr(self.handler, hook)(result)
        ModelCaller.of(self.handler).check_use()
        return result

    def _ways(self, context: Any, count: int, turns: Turns) -> dict[Way, list[int]]:
        """The rows that want a prediction, an explanation, a description."""

        def predict(rows: list[Any]) -> Any:
            return self.predict(rows, turns)

        def explain(rows: list[Any]) -> Any:
            with turns.get("preprocess", nullcontext()):
                batch = self.handler.preprocess(rows)
            with turns.get("inference", nullcontext()):
                return self.handler.explain_handle(batch, rows)

        ways: dict[Way, list[int]] = {}
        for index in range(count):
            self.handler.context = RowsContext(context, [index])
            way: Way = predict
            if self.handler._is_describe():
                way = self._describe
            elif self.handler._is_explain():
                way = explain
            ways.setdefault(way, []).append(index)
        return ways

    def _describe(self, rows: list[Any]) -> Any:
        return [self.handler.describe_handle() for _ in rows]

    def _run(self, way: Way, rows: list[Any], context: Any) -> Run:
        handler, batch = self.handler, CurrentBatch.of(self.handler)
        views = chain([RowsContext], repeat(RerunContext))  # of the first try, and of those after it

        def run(indexes: Sequence[int]) -> Any:
            view = next(views)
            if len(indexes) == len(rows):
                batch.begin(rows, context)
            else:
                batch.begin([rows[index] for index in indexes], view(context, indexes))
            model_name = (handler.manifest or {}).get("model", {}).get("modelName")
            if os.environ.get("ENABLE_TORCH_PROFILER") and model_name:
                return run_profiled(lambda: way(list(batch.rows)), model_name, handler.profiler_args)[0]
            return way(list(batch.rows))

        return run

    def _remember(self, context: Any) -> Callable[[Sequence[int]], Callable[[], bool]]:
        reruns = Reruns.of(self.handler)
        return lambda indexes: reruns.remember(len(indexes), RowsContext(context, indexes))
