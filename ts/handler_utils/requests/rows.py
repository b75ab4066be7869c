"""One row, one fate: a batch is answered row by row where it cannot be answered whole."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from typing import Any, Callable

import torch

from ts.handler_utils.errors import RowErrors, is_out_of_memory, shown

logger = logging.getLogger(__name__)

# Answers some rows of the batch, named by their indexes.
Run = Callable[[Sequence[int]], Sequence[Any]]

# Called before a try with the indexes of its rows; what it returns, after one that failed: may they run again?
Remember = Callable[[Sequence[int]], Callable[[], bool]]


def _never() -> bool:
    return False


def _always(_: Sequence[int]) -> Callable[[], bool]:
    return lambda: True


def answer_rows(run: Run, indexes: Sequence[int], remember: Remember = _always) -> list[Any]:
    """Answers the rows of a batch, with the error of its own for each row that has no answer.

    Rows are run together. If that fails, the rows which the error names are left out (`RowErrors`), or else the
    batch is halved until the rows at fault stand alone; so too when memory runs out. Where rows must not be run
    again, all rows that the error does not name fail.

    Args:
        run: answers the rows at the given indexes, one result for each.
        indexes: the rows to answer.
        remember: called before rows are run together, with their indexes; what it returns is called if that
            fails, and says whether they may be run again.

    Returns:
        For each index, the row's result or the exception that it raised.
    """
    may_run_again = remember(indexes) if len(indexes) > 1 else _never
    outcome = _attempt(run, indexes)
    if not isinstance(outcome, Exception):
        return list(outcome)
    named = _named(outcome, len(indexes))
    rest = [position for position in range(len(indexes)) if position not in named]
    if not rest:
        return [named[position] for position in range(len(indexes))]
    if not may_run_again():
        failed = RuntimeError(f"the batch failed with {shown(outcome)}") if named else outcome
        return [named.get(position, failed) for position in range(len(indexes))]
    if is_out_of_memory(outcome) and torch.cuda.is_available():
        torch.cuda.empty_cache()
    logger.debug("A batch of %d failed (%s); answering its rows again", len(indexes), outcome)
    middle = len(rest) if named else len(rest) // 2
    again = [indexes[position] for position in rest]
    found = answer_rows(run, again[:middle], remember)
    found += answer_rows(run, again[middle:], remember) if again[middle:] else []
    answers = {**named, **dict(zip(rest, found))}
    return [answers[position] for position in range(len(indexes))]


def _named(outcome: Exception, rows: int) -> dict[int, Exception]:
    """The errors of the rows that an exception names."""
    errors = outcome.errors if isinstance(outcome, RowErrors) else {}
    return {position: error for position, error in errors.items() if position in range(rows)}


def _attempt(run: Run, indexes: Sequence[int]) -> Sequence[Any] | Exception:
    try:
        results = run(indexes)
    except Exception as error:
        # The frames hold the batch's tensors, which a second try in halves may need the memory of.
        return error if len(indexes) == 1 else error.with_traceback(None)
    if isinstance(results, (list, tuple)) and len(results) == len(indexes):
        return results
    shape = f"{len(results)} results" if isinstance(results, (list, tuple)) else type(results).__name__
    return TypeError(f"the handler must return a list with one result a row: {shape} for {len(indexes)} rows")


class ContextView:
    """The server's context, seen as something else: of other rows, say. All else is the context's own."""

    takes_statuses = True
    _context: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._context, name, value)


def server_context(context: Any) -> Any:
    """The context itself, behind all views of it."""
    while isinstance(context, ContextView):
        context = context._context
    return context


def takes_statuses(context: Any) -> bool:
    """Whether the status of a row reaches its client, which it cannot if it is not known whose the row is."""
    while isinstance(context, ContextView):
        if not context.takes_statuses:
            return False
        context = context._context
    return inspect.isroutine(getattr(context, "set_response_status", None))


def read_header(context: Any, index: int, name: str) -> Any:
    """A header of a row's request; None where there is none, or where the context has no headers at all."""
    try:
        return context.get_request_header(index, name)
    except AttributeError:
        if callable(getattr(server_context(context), "get_request_header", None)):
            raise
        return None


class RowsContext(ContextView):
    """The server's context as a hook sees it that answers only some rows of a batch.

    Everything is the server's own context, except that index 0, 1, ... stand for the rows named.

    Args:
        context: the context of the whole batch.
        indexes: the rows of the batch which this context speaks of.
    """

    def __init__(self, context: Any, indexes: Sequence[int]) -> None:
        self.__dict__.update(_context=context, _indexes=list(indexes))

    @property
    def request_ids(self) -> dict[int, str]:
        return {row: self._context.request_ids[index] for row, index in enumerate(self._indexes)}

    @property
    def request_processor(self) -> list[Any]:
        return [self._context.request_processor[index] for index in self._indexes]

    def get_request_id(self, idx: int = 0) -> str | None:
        return self._context.get_request_id(self._indexes[idx])

    def get_sequence_id(self, idx: int) -> str:
        return self._context.get_sequence_id(self._indexes[idx])

    def get_request_header(self, idx: int, key: str) -> str | None:
        return self._context.get_request_header(self._indexes[idx], key)

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        return self._context.get_all_request_header(self._indexes[idx])

    def get_response_status(self, idx: int) -> tuple[int, str]:
        return self._context.get_response_status(self._indexes[idx])

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        self._context.set_response_status(code, phrase, self._indexes[idx])

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        for index in self._indexes:
            self._context.set_response_status(code, phrase, index)

    def get_response_headers(self, idx: int) -> dict[str, str]:
        return self._context.get_response_headers(self._indexes[idx])

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        self._context.set_response_header(self._indexes[idx], key, value)

    def get_response_content_type(self, idx: int) -> str | None:
        return self._context.get_response_content_type(self._indexes[idx])

    def set_response_content_type(self, idx: int, value: str) -> None:
        self._context.set_response_content_type(self._indexes[idx], value)


class RerunContext(RowsContext):
    """As `RowsContext`, of rows that have passed through the hooks before, in a try that failed.

    What hooks report to the metrics they have reported then, and a counter must not count it twice.
    """

    @property
    def metrics(self) -> Any:
        return _Reported(self._context.metrics)


class _Reported:
    """Metrics that take no more values; in the place of one of them, too."""

    def __init__(self, metrics: Any) -> None:
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return self._drop if name.startswith("add_") else getattr(self._metrics, name)

    def _drop(self, *_: Any, **__: Any) -> Any:
        return self

    get_metric = add_or_update = update = _drop
