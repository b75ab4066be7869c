"""The one exception of the archiver."""

from __future__ import annotations


class ModelArchiverError(Exception):
    """The archive cannot be made; the message is one sentence for the person who asked for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
