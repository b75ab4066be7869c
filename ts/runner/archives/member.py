"""One entry of an archive, and its bytes: as many as it says, and no more."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath
from typing import IO, Callable, NamedTuple, Optional

from ts.runner.errors import ArchiveError
from ts.utils.documents import one_line


class DamagedError(ArchiveError):
    """Bytes that cannot be read as what they should be.

    Attributes:
        reason: What is wrong with them.
    """

    def __init__(self, source: Path, reason: str) -> None:
        super().__init__(f"{source} cannot be unpacked: {reason}")
        self.reason = reason


class Content(io.BufferedIOBase):
    """A member's bytes, opened when they are first read."""

    def __init__(
        self, source: Path, name: str, open_file: Callable[[], Optional[IO[bytes]]], size: int
    ) -> None:
        """Opens nothing.

        Args:
            source: The archive.
            name: The member's.
            open_file: Opens it; whatever it or reading raises counts as damage.
            size: How many bytes it has, by the archive's word.
        """
        super().__init__()
        self._source = source
        self._name = name
        self._open = open_file
        self._file: Optional[IO[bytes]] = None
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: Optional[int] = -1, /) -> bytes:
        """As of any file; all that is left, for a negative size.

        Raises:
            DamagedError: It cannot be read, or has another number of bytes than the archive says.
        """
        wanted = self._left + 1 if size is None or size < 0 else size
        try:
            self._file = self._file or self._open()
            content = self._file.read(wanted) if self._file else b""
        except Exception as error:  # what zipfile and tarfile raise over damaged bytes is not to be listed
            raise DamagedError(self._source, one_line(error)) from error
        self._left -= len(content)
        if self._left < 0 or (self._left and wanted and not content):
            number = "more" if self._left < 0 else "fewer"
            raise DamagedError(self._source, f"{self._name!r} has {number} bytes than it says")
        return content

    def close(self) -> None:
        if self._file:
            self._file.close()
        super().close()


class Member(NamedTuple):
    """One entry of an archive.

    Attributes:
        path: Its name, a relative path.
        is_folder: Whether it is a folder.
        content: Its bytes; None where it has none of its own.
        link: The path of the member, before it, whose bytes a link has; None for what is no link.
    """

    path: PurePosixPath
    is_folder: bool
    content: Optional[Content]
    link: Optional[PurePosixPath] = None
