"""The entries of a zip (PKWARE's APPNOTE.TXT), as TorchServe reads them: stored or deflated, and not encrypted."""

from __future__ import annotations

import copy
import io
import stat
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from ts.runner.archives.limits import MOST_ENTRIES, Limits
from ts.runner.archives.member import Content, Member
from ts.runner.errors import ArchiveError
from ts.utils.documents import shown

MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # a first entry; the end record of an empty zip (4.3)
LARGEST_TABLE = 512 * MOST_ENTRIES  # bytes of the central directory, which zipfile reads as a whole
LOCAL_HEADER = 30  # bytes in front of an entry's name and content (4.3.7)
ENCRYPTED = 1  # bit 0 of the flags (4.4.4)


class _TableBound(io.BufferedReader):
    """A file of which no more is read at once than a central directory may have."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_TABLE:
            raise ArchiveError(
                f"{self.name} holds more than {MOST_ENTRIES} files and folders: the table of them has {size} bytes"
            )
        return super().read(size)


def zip_members(source: Path, limits: Limits) -> Iterator[Member]:
    """The entries, each to be read before the next one is asked for.

    Raises:
        ArchiveError: An entry of a kind that no archive has, or too much of anything.
        Exception: Whatever zipfile raises over damaged bytes.
    """
    with _TableBound(io.FileIO(source)) as file, zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        check(source, entries, archive.start_dir, limits)
        for info in entries:
            is_folder = info.filename.endswith("/")
            path = limits.enter(info.filename, is_folder)
            longer = copy.copy(info)
            longer.file_size += 1  # zipfile stops at the size that is stated, and would not tell of more
            opened = partial(archive.open, longer)
            yield Member(path, is_folder, Content(source, info.filename, opened, info.file_size))


def check(source: Path, entries: Sequence[zipfile.ZipInfo], table: int, limits: Limits) -> None:
    """Looks at the central directory, before anything is unpacked.

    Args:
        source: The zip.
        entries: Of its central directory.
        table: Where that starts, in bytes.
        limits: What it may hold.
    """
    if len(entries) > MOST_ENTRIES:
        raise limits.too_many()
    for info in entries:
        name = shown(info.filename)
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"{source} holds {name}, which is neither a file nor a folder")
        if info.flag_bits & ENCRYPTED:
            raise ArchiveError(f"{source} holds {name}, which is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(f"{source} holds {name}, compressed by another method than zip's deflate")
        limits.take(info.file_size)
    by_place = sorted(entries, key=lambda info: info.header_offset)
    for info, end in zip(by_place, [*(after.header_offset for after in by_place[1:]), table]):
        if info.header_offset + LOCAL_HEADER + info.compress_size > end:
            raise ArchiveError(
                f"{source} holds {shown(info.filename)}, which overlaps with what comes after it"
            )
