"""Temporary folders that go with the run that made them; what a killed run left, the next one deletes.

Such a folder holds the files of its run in a folder below, and beside that a file which the run, and whoever it
hands that to, keep locked (flock, which ends with the last of them, however it ends). Where there is no flock, as
on Windows, a killed run's folder stays.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Optional

from ts.runner.errors import FolderError
from ts.runner.signals import undisturbed

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

LOCK = ".torch-model-runner"  # holds this machine's name, since locks in a network's folder may be its own affair
FILES = "f"  # short, since TorchServe's sockets lie below, whose paths may have 107 bytes (unix(7))


class Folder(NamedTuple):
    """A temporary folder.

    Attributes:
        path: Where its run's files lie; only this user can enter it.
        lock: The file descriptor that keeps it; None where there is no flock.
    """

    path: Path
    lock: Optional[int]


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Folder]:
    """Makes a folder in the system's temporary one (TMPDIR), and deletes it after the `with` block.

    Args:
        prefix: How its name begins. What runs that are no more have left by such names is deleted first.

    Raises:
        FolderError: None can be made.
    """
    try:
        place = Path(tempfile.gettempdir()).resolve()
        delete_left(place, prefix)
        outer = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    except OSError as error:
        raise FolderError(
            f"no temporary folder can be made: {error} (TMPDIR may name another place)"
        ) from error
    lock = None
    try:
        try:
            lock = locked(outer / LOCK, os.O_CREAT | os.O_EXCL)
            if lock is not None:
                os.write(lock, platform.node().encode())
            (outer / FILES).mkdir(mode=0o700)
        except OSError as error:
            raise FolderError(
                f"no temporary folder can be made: {error} (TMPDIR may name another place)"
            ) from error
        yield Folder(outer / FILES, lock)
    finally:
        with undisturbed():
            delete(outer)
            if lock is not None:
                os.close(lock)


def delete(outer: Path) -> None:
    """Deletes a folder of this kind, and last what marks it, so that what cannot be deleted now is found again."""
    shutil.rmtree(outer / FILES, ignore_errors=True)
    if not (outer / FILES).exists():
        with suppress(OSError):
            (outer / LOCK).unlink()
        with suppress(OSError):
            outer.rmdir()


def delete_left(place: Path, prefix: str) -> None:
    """Deletes this user's folders of this kind in `place` that no process keeps any more."""
    if fcntl is None:
        return
    with os.scandir(place) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(prefix)]
    for name in names:
        with suppress(OSError):
            delete_if_left(place / name)


def delete_if_left(outer: Path) -> None:
    found = outer.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return  # anyone may make a folder of any name in /tmp
    lock = locked(outer / LOCK)
    if lock is not None:
        try:
            if os.read(lock, 256) == platform.node().encode():
                delete(outer)
        finally:
            os.close(lock)


def locked(path: Path, flags: int = 0) -> Optional[int]:
    """The descriptor of a file that this process has locked now; None where another has, or nobody can.

    Raises:
        OSError: The file cannot be opened.
    """
    if fcntl is None:
        return None
    lock = os.open(path, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Else it was deleted, and another is in its place.
        if os.path.samestat(os.stat(path), os.fstat(lock)):
            return lock
    except OSError:
        pass
    os.close(lock)
    return None
