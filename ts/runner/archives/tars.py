"""The entries of a tar (POSIX pax, "ustar Interchange Format"), plain or compressed, read once from its start.

tarfile reads what stands between two files, such as long names, as a whole and however much it is, follows sizes
that lead backwards, and (before Python 3.12.6) takes quadratic time over digits. So it gets the bytes through
`_Stream`, which goes forwards only, and what a pax header says is looked at before it does.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import posixpath
import re
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Callable, Optional

from ts.runner.archives.limits import MOST_ENTRIES, Limits
from ts.runner.archives.member import Content, Member
from ts.runner.errors import ArchiveError
from ts.utils.documents import shown

OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
BETWEEN_FILES = 2048 * MOST_ENTRIES  # bytes of a tar that are no file's: headers, long names, padding
LARGEST_HEADER = 8192  # bytes of a pax header or a long name, which holds little but a name
MOST_GLOBAL_HEADERS = 16  # tarfile copies what they say for each file; git writes one
EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
LONG_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
RECORD = re.compile(rb"([0-9]{1,4}) ([^=\n]{1,200})=")  # "%d %s=%s\n" (POSIX pax, "pax Extended Header")
DIGITS = bytes(48 if 48 <= byte < 58 else 32 for byte in range(256))  # every digit as 0, the rest as a space
LONGEST_DIGITS = b"0" * 64
LONGEST_CHAIN = 8  # links that lead to links
CHUNK = 1 << 16


class _Stream:
    """What a tar's bytes are read through: forwards only, and no more of them than its limits allow.

    Attributes:
        global_headers: How many there were so far.
    """

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._place = 0
        self._ahead = b""
        self.global_headers = 0

    def read(self, size: int) -> bytes:
        content, self._ahead = self._ahead[:size], self._ahead[size:]
        content += self._file.read(size - len(content))
        self._place += len(content)
        if self._place > self._limits.most + BETWEEN_FILES:
            raise self._limits.too_large(self._place)
        return content

    def peek(self, size: int) -> bytes:
        content = self.read(size)
        self._place -= len(content)
        self._ahead = content + self._ahead
        return content

    def tell(self) -> int:
        return self._place

    def seekable(self) -> bool:
        return True

    def seek(self, place: int) -> None:
        if place < self._place:
            raise tarfile.ReadError("a header leads backwards")
        while place > self._place and self.read(min(CHUNK, place - self._place)):
            pass


class _Header(tarfile.TarInfo):
    """A header, which is looked at before tarfile reads what belongs to it."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        stream: Any = tar.fileobj
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError(f"{shown(self.name)} is a sparse file, which is not read")
        if self.type in (*EXTENDED, *LONG_NAMES):
            if not 0 <= self.size <= LARGEST_HEADER:
                raise tarfile.ReadError(
                    f"a header has {self.size} bytes, and {LARGEST_HEADER} are the most that is read"
                )
            if self.type in EXTENDED:
                check_records(stream.peek(self._block(self.size))[: self.size])  # type: ignore[attr-defined]
            stream.global_headers += self.type == tarfile.XGLTYPE
            if stream.global_headers > MOST_GLOBAL_HEADERS:
                raise tarfile.ReadError(f"more than {MOST_GLOBAL_HEADERS} global headers")
        return super()._proc_member(tar)  # type: ignore[misc]


def check_records(content: bytes) -> None:
    """Refuses a pax header that is not made of records, or says what tarfile had better not read.

    Raises:
        tarfile.ReadError: With what is wrong.
    """
    if LONGEST_DIGITS in content.translate(DIGITS):
        raise tarfile.ReadError("a pax header holds a number of 64 digits or more")
    place = 0
    while place < len(content):
        record = RECORD.match(content, place)
        end = place + int(record[1]) if record else 0
        if not record or end <= record.end() or content[end - 1 : end] != b"\n":
            raise tarfile.ReadError("a pax header is damaged")
        if record[2].startswith(b"GNU.sparse"):
            raise tarfile.ReadError("it holds a sparse file, which is not read")
        place = end


def tar_members(source: Path, limits: Limits) -> Iterator[Member]:
    """The entries, each to be read before the next one is asked for, and the links after all others.

    Raises:
        ArchiveError: An entry of a kind that no archive has, or too much of anything.
        Exception: Whatever tarfile and what decompresses raise over damaged bytes.
    """
    links: dict[PurePosixPath, PurePosixPath] = {}
    sizes: dict[PurePosixPath, int] = {}
    with ExitStack() as stack:
        tar = stack.enter_context(open_tar(source, limits, stack))
        while (info := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            path = limits.enter(info.name, info.isdir())
            if info.issym() or info.islnk():
                links[path] = target(info)
            elif info.isdir() or info.isfile():
                limits.take(info.size)
                if info.isfile():
                    sizes[path] = info.size
                opened = partial(tar.extractfile, info)
                yield Member(path, info.isdir(), Content(source, info.name, opened, info.size))
            else:
                raise ArchiveError(f"{source} holds {shown(info.name)}, which is neither a file nor a folder")
    for path, linked in links.items():
        found = end_of(linked, links)
        if found not in sizes:
            name, to = shown(str(path)), shown(str(linked))
            raise ArchiveError(f"{source} holds {name}, a link to {to} outside the archive or to no file")
        limits.take(sizes[found])
        yield Member(path, False, None, found)


def open_tar(source: Path, limits: Limits, stack: ExitStack) -> tarfile.TarFile:
    """Opens a tar, with any of the compressions of `OPENERS`; `stack` closes what it is read from.

    Raises:
        Exception: It is none.
    """
    with source.open("rb") as file:
        start = file.read(max(map(len, OPENERS)))
    opener = next((opener for magic, opener in OPENERS.items() if start.startswith(magic)), open)
    stream: Any = _Stream(stack.enter_context(opener(source, "rb")), limits)
    return tarfile.TarFile(fileobj=stream, tarinfo=_Header, errorlevel=2)


def target(info: tarfile.TarInfo) -> PurePosixPath:
    """Where a link leads: from its own folder, or from the archive's for a hard link."""
    folder = posixpath.dirname(info.name) if info.issym() else ""
    return PurePosixPath(posixpath.normpath(posixpath.join(folder, info.linkname)))


def end_of(path: PurePosixPath, links: dict[PurePosixPath, PurePosixPath]) -> Optional[PurePosixPath]:
    """What a chain of links ends in; None where it is too long."""
    for _ in range(LONGEST_CHAIN):
        if path not in links:
            return path
        path = links[path]
    return None
