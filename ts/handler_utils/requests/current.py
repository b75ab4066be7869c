"""The batch that a handler is answering now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ts.handler_utils.parts import Part


class CurrentBatch(Part):
    """The batch whose rows the hooks of a handler are given.

    Attributes:
        rows: the rows, as they came; none where a hook is called outside of `handle`.
    """

    rows: Sequence[Any] = ()

    def set_content_type(self, index: int, value: str) -> None:
        """Sets the content type of a row's answer, if there is a request behind it."""
        if index < len(self.rows):
            self.handler.context.set_response_content_type(index, value)
