"""Two renames that Python's `os` lacks: onto a name that must be free, and of two names with each other."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

# linux/fs.h and Darwin's sys/stdio.h: the two flags happen to be one number.
EXCHANGE = 2
AT_FDCWD = -100


def rename_to_free_name(source: Path, target: Path) -> None:
    """Renames `source` to `target`, which must not exist.

    On file systems without hard links, a file that appears at `target` in the very moment is overwritten.

    Raises:
        FileExistsError: `target` exists; `source` keeps its name.
        OSError: The file system refuses.
    """
    if source.is_dir() or os.name == "nt":
        _rename(source, target)
        return
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        _refuse_existing(target)
        os.rename(source, target)
    else:
        os.unlink(source)


def exchange(one: Path, other: Path) -> None:
    """Swaps the names of two folders on one file system.

    Atomic on Linux and macOS. Elsewhere there is a moment in which `other` is absent, and its content lies under
    the name of `one` with the suffix `.old`; it stays there if the process is killed in that moment.

    Raises:
        OSError: The file system refuses; both keep their names.
    """
    if _exchange_at_once(one, other):
        return
    aside = one.with_suffix(".old")
    os.rename(other, aside)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(aside, other)
        raise
    os.rename(aside, one)


def _rename(source: Path, target: Path) -> None:
    """Renames where the system itself refuses a `target` that exists: folders everywhere, anything on Windows."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOTDIR):
            _refuse_existing(target)
        raise


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _exchange_at_once(one: Path, other: Path) -> bool:
    """Returns False where there is no such system call, or the file system does not know it."""
    import ctypes  # takes time to import, and only replacing a folder needs it

    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = libc.renamex_np(os.fsencode(one), os.fsencode(other), EXCHANGE)
        else:
            failed = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)
    except (AttributeError, OSError, TypeError):  # a system or C library without it
        return False
    code = ctypes.get_errno()
    if failed and code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(code, os.strerror(code), str(other))
    return not failed
