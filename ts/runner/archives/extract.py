"""Unpacks a model archive (zip or tar) into a folder, and never outside it.

Only plain files and folders reach the disk. A link inside a tar becomes a copy of the member that it names.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Callable, NamedTuple, Optional

from ts.runner.errors import ArchiveError

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # a first entry; the end record of an empty zip (APPNOTE 4.3)
UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,  # zipfile's word for an encrypted entry
    NotImplementedError,  # zipfile's for an unknown compression
)


class Member(NamedTuple):
    """One entry of an archive; `open` gives its bytes, or None where it is neither file nor link to one."""

    name: str
    is_folder: bool
    open: Callable[[], Optional[IO[bytes]]]


def extract(source: Path, folder: Path) -> None:
    """Unpacks `source` into the empty folder `folder`.

    Args:
        source: A zip (.mar), or a tar with any compression that tarfile reads (.tar.gz, .tgz).
        folder: An existing, empty folder.

    Raises:
        ArchiveError: Not such a file, damaged, or a member that would land outside of `folder`.
    """
    written: set[str] = set()
    try:
        for member in members(source):
            write_member(member, folder, written)
    except UNREADABLE as error:
        raise ArchiveError(f"{source} cannot be unpacked: {error}") from error


def members(source: Path) -> Iterator[Member]:
    """The entries of a zip or tar, each to be read before the next one is asked for.

    Raises:
        ArchiveError: Neither of them, or an entry of a kind that no archive has.
        Exception: One of `UNREADABLE`, where it is damaged; so may opening and reading a member.
    """
    return zip_members(source) if is_zip(source) else tar_members(source)


def is_zip(source: Path) -> bool:
    """Tells zip from tar by the first bytes: a tar may well hold a zip, which zipfile.is_zipfile would find.

    Raises:
        ArchiveError: Neither of them, or not readable.
    """
    try:
        with source.open("rb") as file:
            if file.read(4) in ZIP_MAGICS:
                return True
        if tarfile.is_tarfile(source):
            return False
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(f"{source} cannot be read: {error}") from error
    raise ArchiveError(
        f"{source} is no model archive: it is neither a zip (.mar), a tar (.tar.gz) nor a folder"
    )


def zip_members(source: Path) -> Iterator[Member]:
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveError(f"{source} holds {info.filename!r}, which is neither a file nor a folder")
            yield Member(info.filename, info.is_dir(), lambda info=info: archive.open(info))  # type: ignore[misc]


def tar_members(source: Path) -> Iterator[Member]:
    with tarfile.open(source) as archive:
        for info in archive:

            def content(info: tarfile.TarInfo = info) -> IO[bytes] | None:
                try:
                    return archive.extractfile(info)
                except KeyError:  # tarfile's word for a link to something that is no member
                    raise ArchiveError(
                        f"{source} holds {info.name!r}, a link to {info.linkname!r} outside the archive"
                    ) from None

            yield Member(info.name, info.isdir(), content)


def write_member(member: Member, folder: Path, written: set[str]) -> None:
    """Writes one member below `folder`; `written` are the names so far, letter case aside."""
    target = folder / safe_name(member.name)
    if member.is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    key = str(target).casefold()  # on some file systems names that differ in case are one file
    if key in written:
        raise ArchiveError(f"the archive holds {member.name!r} twice (letter case aside)")
    written.add(key)
    content = member.open()
    if content is None:
        raise ArchiveError(f"the archive holds {member.name!r}, which is neither a file nor a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file, 1 << 20)


def safe_name(name: str) -> PurePosixPath:
    """The member's name as a relative path.

    Raises:
        ArchiveError: An absolute path, a drive, a backslash, or a step upwards.
    """
    path = PurePosixPath(name)
    if (
        "\\" in name
        or "\0" in name
        or ".." in path.parts
        or path.is_absolute()
        or PureWindowsPath(name).drive
    ):
        raise ArchiveError(f"the archive holds {name!r}, which points outside of it")
    return path
