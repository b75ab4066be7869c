"""Bounds for requests that an envelope makes several rows of: how many, and how large their answer may be."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Optional

from ts.handler_utils.answer_limit import check_answer_size
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.envelope_rows import count_requests
from ts.handler_utils.requests.json_encoding import is_enveloped


def check_rows(handler: Any, rows: Sequence[Any], context: Any) -> None:
    """Refuses a batch whose requests have more rows than they may.

    Args:
        handler: its setting `max_rows` is the limit of each request.
        rows: of the whole batch; which request each is of, only the envelope knows.
        context: the server's context.

    Raises:
        InvalidInput: 413, to be raised out of `handle`: an error a row could be more than can be sent.
    """
    requests = count_requests(context)
    most = Configuration.of(handler).settings.max_rows
    if requests and len(rows) > max(requests, requests * most):
        raise InvalidInput(
            f"The request has too many rows: {len(rows)}, and max_rows is {most}: send several requests, or raise"
            " handler.max_rows in model-config.yaml",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


class SharedAnswer(Part):
    """The one answer that an envelope makes of the rows of a batch, and how many bytes of it are taken.

    Rows have room in it from the first one on. Once one has none, no row after it does: to write them all, and
    then to drop them, could take minutes.
    """

    # One number, which micro batches share; None where each row has an answer of its own.
    _taken: Optional[list[int]] = None

    def begin(self) -> None:
        """Begins a batch."""
        self._taken = [0] if is_enveloped() else None

    @property
    def taken(self) -> int:
        """Bytes of the rows so far; 0 where each row has an answer of its own."""
        return self._taken[0] if self._taken else 0

    def take(self, size: int) -> None:
        """Takes the bytes of a row.

        Raises:
            InvalidInput: there are not so many left (413).
        """
        taken = self.taken
        if self._taken:
            self._taken[0] += size
        check_answer_size(self.handler, taken + size, "send fewer rows" if taken else "")
