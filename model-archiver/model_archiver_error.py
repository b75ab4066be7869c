"""The exceptions of the archiver."""

from __future__ import annotations


class ModelArchiverError(Exception):
    """The archive cannot be made; the message is one sentence for the person who asked for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class InputNotFoundError(ModelArchiverError, FileNotFoundError):
    """Something that was named as an input is not there."""


class ArchiveExistsError(ModelArchiverError, FileExistsError):
    """There is an archive of that name already, which nobody asked to replace."""
