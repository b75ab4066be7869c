"""From a temporary name to the archive's own, in one step that either happens or does not.

Temporaries lie beside their target (so that renaming never copies) as `.NAME.PID-RANDOM.tmp`. Each is locked
while its run lives: one that can be locked belongs to a run that was killed, and the next run of the name removes
it. The lock says so even where process ids do not, in containers that share a folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..model_archiver_error import ArchiveExistsError
from .atomic_rename import exchange, rename_to_free_name

try:
    import fcntl
except ImportError:  # Windows, where what is open could not be renamed: nothing is locked there, nor removed
    fcntl = None  # type: ignore[assignment]

TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{16}\.(tmp|old)")


def is_temporary(name: str) -> bool:
    """Returns whether a file or folder of this name is an unfinished archive."""
    return TEMPORARY.fullmatch(name) is not None


@contextmanager
def temporary(target: Path, is_folder: bool) -> Iterator[Path]:
    """Makes an empty file or folder beside `target`, and removes it at the end if it still has that name.

    Raises:
        OSError: Nothing can be made there.
    """
    _remove_abandoned(target)
    path, lock = _create_locked(target, is_folder)
    try:
        yield path
    finally:
        if lock is not None:
            os.close(lock)
        _remove(path)


def publish(path: Path, target: Path, replace: bool) -> None:
    """Gives the finished `path` the name `target`.

    Its content reaches the disk first, so that after a power cut there is the old archive or the new one.

    Raises:
        ArchiveExistsError: `target` exists and `replace` is false.
        OSError: The disk or the file system refuses; `target` is as it was.
    """
    _sync_all(path)
    try:
        if not replace:
            rename_to_free_name(path, target)
        elif path.is_dir():
            _replace_folder(path, target)
        else:
            os.replace(path, target)
    except FileExistsError:
        raise ArchiveExistsError(f"{target} exists already; -f replaces it") from None
    _sync(target.parent)


def _replace_folder(path: Path, target: Path) -> None:
    """Exchanges the two, for renaming cannot replace a folder that holds something; `path` is the old one then."""
    while True:
        with suppress(FileExistsError):
            return rename_to_free_name(path, target)
        with suppress(FileNotFoundError):  # another run took it away just now
            return exchange(path, target)


def _create_locked(target: Path, is_folder: bool) -> tuple[Path, int | None]:
    while True:
        path = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(8).hex()}.tmp")
        if is_folder:
            path.mkdir()
        else:
            path.touch(exist_ok=False)
        if fcntl is None:
            return path, None
        # Another run may find it before it is locked, and remove it: then once more.
        with suppress(FileNotFoundError):
            lock = os.open(path, os.O_RDONLY)
            if _try_lock(lock) is not False and path.exists():
                return path, lock
            os.close(lock)


def _try_lock(descriptor: int) -> bool | None:
    """Locks an open file; False where another process holds the lock, None where nothing can be locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some network file systems
        return None
    return True


def _remove_abandoned(target: Path) -> None:
    paths = [] if fcntl is None else target.parent.glob(f".{target.name}.*.tmp")
    for path in filter(lambda path: is_temporary(path.name), paths):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                if _try_lock(descriptor):
                    _remove(path)
            finally:
                os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync_all(path: Path) -> None:
    if path.is_dir():
        for child in path.iterdir():
            _sync_all(child)
    _sync(path)


def _sync(path: Path) -> None:
    # Windows syncs only what is open for writing; there, and on some file systems, a folder cannot be synced.
    with suppress(*[OSError] if path.is_dir() else []):
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
