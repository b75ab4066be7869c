"""Which request a row belongs to, where an envelope has made several rows of one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from ts.handler_utils.requests.rows import ContextView, RowsContext


def context_of_rows(context: Any, rows: int) -> Any:
    """The context of a batch as one of its rows: index 0, 1, ... stand for rows, not for requests.

    A request envelope (json, kserve, kservev2) passes the `instances` or `inputs` of a request as a row each, with
    the server's context of the requests. All rows of a single request are that request's; but whose the rows of
    several requests are, only the envelope knows.

    Args:
        context: the server's context.
        rows: how many rows the batch has.
    """
    requests = count_requests(context)
    if requests in (0, rows):
        return context
    return RowsContext(context, [0] * rows) if requests == 1 else _UnassignedRows(context, rows)


def count_requests(context: Any) -> int:
    """How many requests a batch is of; 0 where its context does not tell."""
    request_ids = getattr(context, "request_ids", None)
    return len(request_ids) if isinstance(request_ids, (Mapping, list, tuple)) else 0


class _UnassignedRows(ContextView):
    """The context of rows whose requests are not known.

    A row has the headers that all requests agree on. What a hook sets for one row is dropped, rather than sent to
    the client of another.
    """

    takes_statuses = False

    def __init__(self, context: Any, rows: int) -> None:
        self.__dict__.update(_context=context, _rows=rows)

    def _agreed(self, read: Callable[[int], Any]) -> Any:
        values = [read(request) for request in range(len(self._context.request_ids))]
        return values[0] if all(value == values[0] for value in values) else None

    @property
    def request_ids(self) -> dict[int, Any]:
        return dict.fromkeys(range(self._rows))

    def get_request_id(self, idx: int = 0) -> None:
        return None

    def get_sequence_id(self, idx: int) -> Any:
        return self._agreed(self._context.get_sequence_id)

    def get_request_header(self, idx: int, key: str) -> Any:
        return self._agreed(lambda request: self._context.get_request_header(request, key))

    def get_all_request_header(self, idx: int) -> dict[str, Any]:
        names = self._context.get_all_request_header(0)
        agreed = {name: self.get_request_header(idx, name) for name in names}
        return {name: value for name, value in agreed.items() if value is not None}

    def get_response_status(self, idx: int) -> tuple[int, str]:
        return 200, ""

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        pass

    def get_response_headers(self, idx: int) -> dict[str, str]:
        return {}

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        pass

    def get_response_content_type(self, idx: int) -> None:
        return None

    def set_response_content_type(self, idx: int, value: str) -> None:
        pass
