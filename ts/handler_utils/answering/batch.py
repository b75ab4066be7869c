"""The way of a batch through the hooks of a handler."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any, Callable, Optional

from ts.handler_utils.answering.workflows import Refusal, stop_workflows
from ts.handler_utils.errors import DATA_ERRORS, InvalidInput, error_answer
from ts.handler_utils.parts import Part
from ts.handler_utils.profiler import run_profiled
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.envelope_rows import context_of_rows
from ts.handler_utils.requests.json_encoding import JSON, data_uri, is_enveloped
from ts.handler_utils.requests.rows import RowsContext, Run, answer_rows
from ts.handler_utils.timer import handler_time
from ts.utils.util import PredictionException

logger = logging.getLogger(__name__)

# Answers some rows: by a prediction, an explanation, or a description.
Way = Callable[[list[Any]], Any]


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
        with handler_time(context):
            rows = list(data or [])
            answers = self.answer(rows, context_of_rows(context, len(rows)))
        self.handler.context = context
        return stop_workflows(answers, context)

    def answer(self, rows: list[Any], context: Any) -> list[Any]:
        """Answers the rows of a batch, each in its own way.

        Args:
            rows: one a request.
            context: of these rows: its index 0, 1, ... stand for them.
        """
        answers: list[Any] = [None] * len(rows)
        for way, indexes in self._ways(context, len(rows)).items():
            for index, answer in zip(indexes, answer_rows(self._run(way, rows, context), indexes)):
                failed = isinstance(answer, Exception)
                answers[index] = _refuse(context, index, answer) if failed else answer
        CurrentBatch.of(self.handler).rows = ()
        return [_sendable(context, index, answer) for index, answer in enumerate(answers)]

    def predict(self, rows: list[Any]) -> Any:
        """Passes rows through the three hooks."""
        handler = self.handler
        return handler.postprocess(handler.inference(self._preprocessed(rows)))

    def _ways(self, context: Any, count: int) -> dict[Way, list[int]]:
        """The rows that want a prediction, an explanation, a description."""
        ways: dict[Way, list[int]] = {}
        for index in range(count):
            self.handler.context = RowsContext(context, [index])
            way = self.predict
            if self.handler._is_describe():
                way = self._describe
            elif self.handler._is_explain():
                way = self._explain
            ways.setdefault(way, []).append(index)
        return ways

    def _run(self, way: Way, rows: list[Any], context: Any) -> Run:
        handler, batch = self.handler, CurrentBatch.of(self.handler)

        def run(indexes: Sequence[int]) -> Any:
            whole = len(indexes) == len(rows)
            handler.context = context if whole else RowsContext(context, indexes)
            batch.rows = rows if whole else [rows[index] for index in indexes]
            model_name = (handler.manifest or {}).get("model", {}).get("modelName")
            if os.environ.get("ENABLE_TORCH_PROFILER") and model_name:
                return run_profiled(lambda: way(list(batch.rows)), model_name, handler.profiler_args)[0]
            return way(list(batch.rows))

        return run

    def _explain(self, rows: list[Any]) -> Any:
        return self.handler.explain_handle(self._preprocessed(rows), rows)

    def _describe(self, rows: list[Any]) -> Any:
        return [self.handler.describe_handle() for _ in rows]

    def _preprocessed(self, rows: list[Any]) -> Any:
        try:
            return self.handler.preprocess(rows)
        except DATA_ERRORS as error:
            message = f"The request cannot be read: {type(error).__name__}: {error}"
            raise InvalidInput(message) from error


def _refuse(context: Any, index: int, error: Exception) -> dict[str, Any]:
    """Sets the status of a row that failed, and returns the body of its answer."""
    status, body = error_answer(error)
    trace = None if isinstance(error, PredictionException) else error  # that one says all in its message
    request = context.get_request_id(index)
    logger.warning("Request %s: %d, %s", request, status, body["message"], exc_info=trace)
    context.set_response_status(status, body["type"], index)
    context.set_response_content_type(index, JSON)  # not that of an answer, which a hook may have set
    return Refusal(body)


def _sendable(context: Any, index: int, answer: Any) -> Any:
    """An answer as a request envelope can write it: in JSON."""
    if not (isinstance(answer, (bytes, bytearray)) and is_enveloped()):
        return answer
    context.set_response_content_type(index, JSON)
    return data_uri(answer)
