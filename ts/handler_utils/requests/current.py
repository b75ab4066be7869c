"""The batch that the hooks of a handler are answering now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Callable, Optional, TypeVar

from ts.handler_utils.errors import ModelFault, RowErrors
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.rows import read_header, server_context
from ts.utils.util import PredictionException

Result = TypeVar("Result")


class CurrentBatch(Part):
    """The batch whose rows the hooks of a handler are given.

    Attributes:
        rows: the rows, as the hooks get them; none where a hook is called outside of `handle`.
    """

    rows: Sequence[Any] = ()
    _origins: Sequence[Optional[int]] = ()  # the request that each row came of; None if that is not known
    _context: Any = None  # of these rows; the handler's own attribute may be put to another use

    def begin(self, rows: Sequence[Any], context: Any) -> None:
        """Begins a batch, or ends it with no rows."""
        self.rows, self._origins = rows, range(len(rows))
        self._context = self.handler.context = context

    def read(self, function: Callable[[int], Result], rows: Sequence[Any]) -> list[Result]:
        """What a function makes of each row that `preprocess` is given, called with the index of the row.

        A subclass may drop, multiply or make up rows before it passes them on: these are the batch's rows from
        then on, and an error is laid to the request that its row came of.

        Raises:
            RowErrors: some requests are at fault.
            RuntimeError: a row is at fault of which it is not known whose it is.
        """
        self._take(rows)
        return self.each(function, len(rows))

    def each(self, function: Callable[[int], Result], rows: int) -> list[Result]:
        """What a function makes of each row of a batch, called with the index of the row.

        Raises:
            RowErrors: the function raised a `PredictionException` for some rows, whose requests are at fault, or a
                `ModelFault`.
            RuntimeError: a row is at fault of which it is not known whose it is.
        """
        results: list[Result] = []
        errors: dict[Optional[int], Exception] = {}
        for index in range(rows):
            try:
                results.append(function(index))
            except (PredictionException, ModelFault) as error:
                errors[self._origin(index, rows)] = error
        unplaced = errors.pop(None, None)
        if unplaced is not None:
            raise RuntimeError(f"one of the rows that a subclass made of its batch is at fault: {unplaced}")
        if errors:
            raise RowErrors({row: error for row, error in errors.items() if row is not None})
        return results

    @contextmanager
    def in_parts(self) -> Iterator[None]:
        """Lets hooks read some rows of the batch at a time, as if they were all; after it, the batch is whole."""
        rows, origins = self.rows, self._origins
        try:
            yield
        finally:
            self.rows, self._origins = rows, origins

    def _take(self, rows: Sequence[Any]) -> None:
        if not self.rows or _are_same(rows, self.rows):
            return
        alone = {0} == set(self._origins)  # all that is made of a single request is that request's
        origins = {id(row): origin for row, origin in zip(self.rows, self._origins)}
        self._origins = [0 if alone else origins.get(id(row)) for row in rows]
        self.rows = list(rows)

    def _origin(self, index: int, rows: Optional[int] = None) -> Optional[int]:
        """The request that a row came of; `rows` is how many there are where a hook was given others."""
        if not self.rows:  # the hook is called by hand
            return index if rows else None
        known = index < len(self._origins) and rows in (None, len(self.rows))
        return self._origins[index] if known else None

    def request_header(self, index: int, name: str) -> Any:
        """A header of the request that a row came of; None if there is none."""
        origin = self._origin(index)
        return None if origin is None else read_header(self._context, origin, name)

    def request_headers(self, index: int) -> Optional[Mapping[str, Any]]:
        """All headers of the request that a row came of; None where the context does not tell."""
        origin = self._origin(index)
        if origin is None:
            return None
        try:
            headers = self._context.get_all_request_header(origin)
        except AttributeError:
            if hasattr(server_context(self._context), "get_all_request_header"):
                raise
            return None
        return headers if isinstance(headers, Mapping) else None

    def set_content_type(self, index: int, value: str) -> None:
        """Sets the content type of a row's answer, if there is a request behind it."""
        origin = self._origin(index)
        if origin is not None and hasattr(server_context(self._context), "set_response_content_type"):
            self._context.set_response_content_type(origin, value)

    def set_header(self, index: int, name: str, value: str) -> None:
        """Sets a header of a row's answer, if there is a request behind it."""
        origin = self._origin(index)
        if origin is not None and hasattr(server_context(self._context), "set_response_header"):
            self._context.set_response_header(origin, name, value)


def _are_same(rows: Sequence[Any], others: Sequence[Any]) -> bool:
    return len(rows) == len(others) and all(row is other for row, other in zip(rows, others))
