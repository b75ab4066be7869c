"""The input files, hashed as they are read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ..inputs.entry import Entry
from ..model_archiver_error import ModelArchiverError
from .integrity import Advance


class SourceStream:
    """Passes the bytes of an entry's file on, and counts and hashes them."""

    def __init__(self, entry: Entry, file: BinaryIO, advance: Advance) -> None:
        self._entry = entry
        self._file = file
        self._advance = advance
        self._digest = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """Returns the next `size` bytes at most, b"" at the end.

        Raises:
            ModelArchiverError: The file is longer or shorter than it was when the plan was made.
        """
        expected = self._entry.size if size < 0 else min(self._size + size, self._entry.size)
        data = self._file.read(size)
        self._size += len(data)
        if self._size != expected:
            raise _changed(self._entry)
        self._digest.update(data)
        self._advance(len(data))
        return data

    def hexdigest(self) -> str:
        """Returns the sha256 of what was read so far."""
        return self._digest.hexdigest()


@contextmanager
def open_source(entry: Entry, advance: Advance) -> Iterator[SourceStream]:
    """Opens the file of an entry, to be read from end to end.

    Raises:
        ModelArchiverError: The file is not what it was when the plan was made, or changed in the meantime.
        OSError: It cannot be read.
    """
    assert entry.source is not None
    with entry.source.open("rb") as file:
        stream = SourceStream(entry, file, advance)
        yield stream
        now = os.fstat(file.fileno())
    if (now.st_size, now.st_mtime_ns) != (entry.size, entry.mtime_ns):
        raise _changed(entry)


def _changed(entry: Entry) -> ModelArchiverError:
    return ModelArchiverError(f"{entry.source} changed while it was packed")
