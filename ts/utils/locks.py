"""Locks on files between processes (flock), for the time of a `with` block; with their process they end at once.

Where there is no flock, as on Windows, nothing is locked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

# No link is to lead elsewhere.
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True, create: bool = False) -> Iterator[bool]:
    """Locks a file.

    Args:
        path: The file.
        shared: Whether others may have the lock too, if they share it; the file needs to be readable only.
        wait: Whether to wait for those that have it.
        create: Whether to make the file if there is none.

    Yields:
        Whether it is locked; not where there is no such file, or another has the lock.

    Raises:
        OSError: It cannot be opened or locked.
    """
    if fcntl is None:
        yield create or path.exists()
        return
    descriptor = _lock(path, shared, wait, create)
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(path: Path, shared: bool, wait: bool, create: bool) -> Optional[int]:
    flags = FLAGS | (os.O_RDONLY if shared else os.O_RDWR) | (os.O_CREAT if create else 0)
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    while True:
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            if create:
                raise
            return None
        try:
            fcntl.flock(descriptor, how)
            if _is_still(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was deleted or replaced while this process waited


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
