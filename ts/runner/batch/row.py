"""A row of the table of answers."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, Optional

from ts.runner.answering.answer import Answer


class Row(NamedTuple):
    """The answer to a file.

    Attributes:
        path: Of the file, as `list_files` has it.
        status: HTTP status code; of a file that cannot be read 404, 403, 413 or 500.
        content_type: As the handler set it; None where it did not.
        content: The body that a client would get.
        saved: The file that holds it, too, where answers are saved.
    """

    path: str
    status: int
    content_type: Optional[str]
    content: bytes
    saved: Optional[str] = None

    @property
    def response(self) -> Any:
        """The content: a JSON value, a str, or else bytes."""
        return Answer(200, self.content, content_type=self.content_type).response

    @property
    def text(self) -> Optional[str]:
        """The content where it is JSON or another text, else None."""
        return None if isinstance(self.response, bytes) else self.content.decode()


def shown(path: str) -> str:
    r"""A path in characters that every table can hold: what is no UTF-8 as \xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
