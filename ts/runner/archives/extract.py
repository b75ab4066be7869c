"""Unpacks a model archive (zip or tar) into a folder, and never outside it, nor more than it may hold.

Only plain files and folders reach the disk. A link inside a tar becomes a copy of the member that it names.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Optional

from ts.runner.archives.limits import Limits
from ts.runner.archives.member import DamagedError, Member
from ts.runner.archives.tars import open_tar, tar_members
from ts.runner.archives.zips import MAGICS, zip_members
from ts.runner.errors import ArchiveError
from ts.utils.documents import one_line

CHUNK = 1 << 20


def extract(source: Path, folder: Path, max_size: Optional[int] = None) -> None:
    """Unpacks `source` into the empty folder `folder`.

    Args:
        source: A zip (.mar), or a tar (.tar.gz, .tgz), which may be compressed by bzip2 or xz too.
        folder: An existing, empty folder.
        max_size: Bytes that its files may have together; see `Limits`.

    Raises:
        ArchiveError: Not such a file, damaged, a member that would land outside of `folder`, too much of anything,
            or no room for it.
    """
    for member in members(source, max_size):
        try:
            write_member(member, folder)
        except OSError as error:
            raise ArchiveError(
                f"{source} cannot be unpacked into {folder}: {error.strerror or one_line(error)}"
                " (TMPDIR may name another folder)"
            ) from error


def members(source: Path, max_size: Optional[int] = None) -> Iterator[Member]:
    """The entries of a zip or tar, each to be read before the next one is asked for.

    Raises:
        ArchiveError: Neither of them, damaged, an entry of a kind that no archive has, or too much of anything.
    """
    read = zip_members if is_zip(source) else tar_members
    try:
        yield from read(source, Limits(source, max_size))
    except ArchiveError:
        raise
    except Exception as error:  # what zipfile and tarfile raise over damaged bytes is not to be listed
        raise DamagedError(source, one_line(error)) from error


def is_zip(source: Path) -> bool:
    """Tells zip from tar by the first bytes: a tar may well hold a zip, which zipfile.is_zipfile would find.

    Raises:
        ArchiveError: Neither of them, or not readable.
    """
    try:
        with source.open("rb") as file:
            if file.read(4) in MAGICS:
                return True
        with ExitStack() as stack:
            open_tar(source, Limits(source), stack)
        return False
    except (OSError, EOFError, zlib.error) as error:
        raise ArchiveError(f"{source} cannot be read: {one_line(error)}") from error
    except Exception as error:
        raise ArchiveError(
            f"{source} is no model archive: it is neither a zip (.mar), a tar (.tar.gz) nor a folder"
        ) from error


def write_member(member: Member, folder: Path) -> None:
    """Writes one member below `folder`.

    Raises:
        DamagedError: It cannot be read.
        OSError: It cannot be written.
    """
    path = folder / member.path
    (path if member.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
    if member.link is not None:
        shutil.copyfile(folder / member.link, path)
    elif member.content is not None and not member.is_folder:
        with member.content as content, path.open("wb") as file:
            shutil.copyfileobj(content, file, CHUNK)
