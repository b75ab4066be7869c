"""One file of an archive-to-be: where it lies and where it goes."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ..model_archiver_error import InputNotFoundError, ModelArchiverError


@dataclass(frozen=True)
class Entry:
    """A member of the archive.

    Attributes:
        name: Path in the archive, with `/` between its parts.
        source: File that is packed; None for a member that is made up (an empty folder, the manifest).
        size: Bytes.
        mtime_ns: The source's modification time when the plan was made, in nanoseconds.
        executable: Its owner may execute it.
        is_folder: An empty folder.
    """

    name: str
    source: Path | None = None
    size: int = 0
    mtime_ns: int = 0
    executable: bool = False
    is_folder: bool = False

    @property
    def mode(self) -> int:
        """Permission bits, the same whatever the umask was when the source was made."""
        return 0o755 if self.executable or self.is_folder else 0o644


def stat_source(path: Path, role: str) -> os.stat_result:
    """Follows links to what `path` is.

    Raises:
        ModelArchiverError: There is nothing, or only a link that leads nowhere or in a circle; `role` says in the
            message what the path was given as.
    """
    try:
        return path.stat()
    except OSError as error:
        if path.is_symlink() and error.errno in (errno.ENOENT, errno.ELOOP):
            where = (
                "in a circle"
                if error.errno == errno.ELOOP
                else f"to {os.readlink(path)}, which does not exist"
            )
            raise InputNotFoundError(f"{role} {path} is a link that leads {where}") from None
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise InputNotFoundError(f"{role} {path} does not exist") from None
        raise ModelArchiverError(f"{role} {path} cannot be read: {error.strerror}") from None


def file_entry(path: Path, name: str, role: str) -> Entry:
    """Makes the entry that packs the file at `path` as `name`.

    Raises:
        ModelArchiverError: `path` is no regular file that can be read.
    """
    status = stat_source(path, role)
    if stat.S_ISDIR(status.st_mode):
        raise ModelArchiverError(f"{role} {path} is a folder; --extra-files takes folders")
    if not stat.S_ISREG(status.st_mode):
        raise ModelArchiverError(f"{role} {path} is not a regular file")
    if not os.access(path, os.R_OK):
        raise ModelArchiverError(f"{role} {path} cannot be read: permission denied")
    _check_encodable(name, path)
    executable = bool(status.st_mode & stat.S_IXUSR)
    return Entry(name, path, status.st_size, status.st_mtime_ns, executable)


def _check_encodable(name: str, path: Path) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ModelArchiverError(f"the file name {os.fsencode(path)!r} is not UTF-8") from None
