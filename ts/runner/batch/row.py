"""A row of the table of answers."""

from __future__ import annotations

from typing import NamedTuple, Optional

from ts.runner.answering.answer import Answer


class Row(NamedTuple):
    """The answer to a file.

    Attributes:
        path: Of the file, as `list_files` has it.
        status: HTTP status code; of a file that cannot be read 404, 403, 413 or 500.
        content_type: As the handler set it; None where it did not.
        content: The body that a client would get.
    """

    path: str
    status: int
    content_type: Optional[str]
    content: bytes

    @property
    def text(self) -> Optional[str]:
        """The content where it is JSON or another text, else None."""
        if isinstance(Answer(200, self.content, content_type=self.content_type).response, bytes):
            return None
        return self.content.decode()
