"""What a format is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

from ...inputs.entry import Entry

Members = Iterable[tuple[Entry, BinaryIO]]
"""Each member with a stream of its content, which is read before the next member is asked for."""


class ArchiveFormat(ABC):
    """One value of `--archive-format`.

    Attributes:
        suffix: What follows the model's name in the archive's name.
        is_folder: The archive is a folder, not a file.
    """

    suffix: ClassVar[str]
    is_folder: ClassVar[bool] = False

    @abstractmethod
    def write(self, path: Path, model_name: str, members: Members) -> None:
        """Writes `members` to `path`, an empty file or folder, reading each once.

        Raises:
            OSError: They cannot be written.
        """

    @abstractmethod
    def read(self, path: Path, model_name: str) -> Iterator[tuple[str, BinaryIO]]:
        """Yields the name of each file in an archive with a stream of it, valid until the next one is asked for.

        Raises:
            OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError: The archive is damaged; reading
                a stream raises them too.
        """
