"""What an archive may hold, whoever made it: bytes, entries, and names that lie below one folder.

The bytes: a model's weights hardly compress (floats by a tenth, integers of eight bits by a half, weights of which
99 of 100 are zeros by 50), so that whatever unpacks to far more than the archive's own size is no model. Files of
zeros, which are, need `max_size`.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Optional

from ts.runner.errors import ArchiveError
from ts.utils.documents import shown

FREE_SIZE = 256 * 1024 * 1024  # bytes that any archive may unpack to
MOST_GROWTH = 50  # times its own size that a larger one may
MOST_ENTRIES = 20_000  # files and folders; a model has some dozens, and packages beside it some thousands
LONGEST_NAME = 1024  # characters
LONGEST_PART = 255  # bytes between two slashes: NAME_MAX of common file systems
DEEPEST = 32  # folders inside each other


class Limits:
    """Counts what an archive brings while it is read, and refuses what is too much before it is unpacked.

    Attributes:
        source: The archive's path.
        most: The bytes that its files may have together.
    """

    def __init__(self, source: Path, max_size: Optional[int] = None) -> None:
        """Counts from zero.

        Args:
            source: An archive, which exists.
            max_size: Bytes that its files may have together; by default 50 times its size, and 256 MiB at least.
        """
        self.source = source
        self.most = max(FREE_SIZE, MOST_GROWTH * source.stat().st_size) if max_size is None else max_size
        self._bytes = 0
        self._is_folder: dict[str, bool] = {}

    def take(self, size: int) -> None:
        """Counts the bytes of a file.

        Raises:
            ArchiveError: They are too many, or less than none.
        """
        if size < 0:
            raise ArchiveError(f"{self.source} holds a file of {size} bytes")
        self._bytes += size
        if self._bytes > self.most:
            raise self.too_large(self._bytes)

    def too_large(self, found: int) -> ArchiveError:
        return ArchiveError(
            f"{self.source} unpacks to {found} bytes or more, and max_size is {self.most}: if you trust it, give"
            " --max-size or, in Python, max_size"
        )

    def enter(self, name: str, is_folder: bool) -> PurePosixPath:
        """Counts an entry, and the folders that it lies in; gives its name as a relative path.

        Raises:
            ArchiveError: There are too many; the name is no relative path, too long or too deep; or it is that of
                another entry, letter case aside, since on some file systems these are one.
        """
        path = self._safe(name, is_folder)
        for folder in [*path.parents][:-1]:
            self._note(folder, True)
        if is_folder:
            self._note(path, True)
        elif self._note(path, False):
            raise ArchiveError(f"{self.source} holds {shown(name)} twice (letter case aside)")
        return path

    def _note(self, path: PurePosixPath, is_folder: bool) -> bool:
        """Whether there is an entry of this name already, and of the same kind."""
        key = str(path).casefold()
        is_known = key in self._is_folder
        if self._is_folder.setdefault(key, is_folder) != is_folder:
            raise ArchiveError(f"{self.source} holds {shown(str(path))} twice, as a file and as a folder")
        if len(self._is_folder) > MOST_ENTRIES:
            raise self.too_many()
        return is_known

    def too_many(self) -> ArchiveError:
        return ArchiveError(f"{self.source} holds more than {MOST_ENTRIES} files and folders")

    def _safe(self, name: str, is_folder: bool) -> PurePosixPath:
        if len(name) > LONGEST_NAME:
            raise ArchiveError(f"{self.source} holds a name of {len(name)} characters: {shown(name)}")
        path = PurePosixPath(name)
        if (
            "\\" in name
            or ".." in path.parts
            or path.is_absolute()
            or PureWindowsPath(name).drive
            or any(ord(char) < 32 or ord(char) == 127 for char in name)
        ):
            raise ArchiveError(f"{self.source} holds {shown(name)}, which points outside of it or is no name")
        if not path.parts and not (is_folder and name):
            raise ArchiveError(f"{self.source} holds a file without a name")
        if len(path.parts) > DEEPEST:
            raise ArchiveError(
                f"{self.source} holds {shown(name)}, which is more than {DEEPEST} folders deep"
            )
        if any(len(part.encode(errors="surrogatepass")) > LONGEST_PART for part in path.parts):
            raise ArchiveError(
                f"{self.source} holds a file's name of more than {LONGEST_PART} bytes: {shown(name)}"
            )
        return path
