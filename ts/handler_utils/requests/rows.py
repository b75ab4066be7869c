"""One row, one fate: a batch is answered row by row where it cannot be answered whole."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Callable

import torch

from ts.handler_utils.errors import RowErrors, is_out_of_memory

logger = logging.getLogger(__name__)

# Answers some rows of the batch, named by their indexes.
Run = Callable[[Sequence[int]], Sequence[Any]]


def answer_rows(run: Run, indexes: Sequence[int]) -> list[Any]:
    """Answers the rows of a batch, with the error of its own for each row that has no answer.

    Rows are run together. If that fails, the rows which the error names are left out (`RowErrors`), or else the
    batch is halved until the rows at fault stand alone; so too when memory runs out.

    Args:
        run: answers the rows at the given indexes, one result for each.
        indexes: the rows to answer.

    Returns:
        For each index, the row's result or the exception that it raised.
    """
    outcome = _attempt(run, indexes)
    if not isinstance(outcome, Exception):
        return list(outcome)
    if isinstance(outcome, RowErrors) and not outcome.errors.keys().isdisjoint(range(len(indexes))):
        return _without_named_rows(run, indexes, outcome.errors)
    if len(indexes) == 1:
        return [outcome]
    if is_out_of_memory(outcome) and torch.cuda.is_available():
        torch.cuda.empty_cache()
    logger.debug("A batch of %d failed (%s); answering it in halves", len(indexes), outcome)
    middle = len(indexes) // 2
    return answer_rows(run, indexes[:middle]) + answer_rows(run, indexes[middle:])


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


def _without_named_rows(run: Run, indexes: Sequence[int], errors: Mapping[int, Exception]) -> list[Any]:
    good = [position for position in range(len(indexes)) if position not in errors]
    answers = dict(zip(good, answer_rows(run, [indexes[position] for position in good]))) if good else {}
    return [errors.get(position, answers.get(position)) for position in range(len(indexes))]


class RowsContext:
    """The server's context as a hook sees it that answers only some rows of a batch.

    Everything is the server's own context, except that index 0, 1, ... stand for the rows named.

    Args:
        context: the context of the whole batch.
        indexes: the rows of the batch which this context speaks of.
    """

    def __init__(self, context: Any, indexes: Sequence[int]) -> None:
        self.__dict__.update(_context=context, _indexes=list(indexes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._context, name, value)

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
