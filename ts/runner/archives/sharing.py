"""One folder with an archive's files for all processes of a machine that want the same archive.

The first of them fills it, the last deletes it. Each keeps a shared lock (flock) on the file that marks it, for as
long as it uses it; so what killed processes left is deleted by whoever deletes that of other killed runs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Callable, Optional

from ts.runner.folders import FILES, LOCK, delete, delete_left, temporary_folder
from ts.runner.signals import undisturbed
from ts.utils.locks import locked

PREFIX = "torch-model-"
ARCHIVE = "archive"  # the archive's files, in the folder of files
WHOLE = "whole"  # beside them, once all are there
TRIES = 10  # others may delete a folder between its being filled and its being used

Fill = Callable[[Path], None]  # writes an archive's files into an empty folder


@contextmanager
def unpacked(fill: Fill, digest: Optional[str] = None) -> Iterator[Path]:
    """A folder with an archive's files, which only this user can enter.

    Args:
        fill: Writes them there.
        digest: By which other processes may share it; without one, or where it cannot be shared, nobody does.

    Raises:
        FolderError: No folder can be made.
    """
    with ExitStack() as stack:
        shared = stack.enter_context(shared_folder(fill, digest)) if digest and can_share() else None
        if shared is None:
            shared = stack.enter_context(temporary_folder(PREFIX)).path
            fill(shared)
        yield shared


def can_share() -> bool:
    return hasattr(os, "geteuid")  # and so has flock


@contextmanager
def shared_folder(fill: Fill, digest: str) -> Iterator[Optional[Path]]:
    """The folder of a digest; None where something else has its name, or it cannot be made."""
    place = Path(tempfile.gettempdir()).resolve()
    outer = place / f"{PREFIX}{key_of(digest)}"
    with suppress(OSError):
        delete_left(place, PREFIX)
    try:
        for _ in range(TRIES):
            if not can_be_made(outer):
                break
            with locked(outer / LOCK, shared=True) as is_kept:
                if is_kept and (outer / FILES / WHOLE).exists():
                    yield outer / FILES / ARCHIVE
                    return
            make(outer, fill)  # before this process has its lock, another may delete it again
        yield None
    finally:
        with undisturbed(), suppress(OSError):
            delete_unused(outer)


def key_of(digest: str) -> str:
    """By machine and user too, since folders of both may lie side by side."""
    owner = f"{platform.node()} {os.geteuid()} {digest}"
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def can_be_made(outer: Path) -> bool:
    """Whether there is, by now at least, such a folder of this user's."""
    with suppress(OSError):
        outer.mkdir(mode=0o700)
    try:
        return is_own(outer)
    except OSError:
        return os.access(outer.parent, os.W_OK)  # another has deleted it just now


def make(outer: Path, fill: Fill) -> None:
    """Fills the folder, unless another has, it is deleted meanwhile, or there is no room."""
    with suppress(OSError), locked(outer / LOCK, create=True):
        if not (outer / FILES / WHOLE).exists():
            (outer / LOCK).write_text(platform.node(), encoding="utf-8")
            shutil.rmtree(outer / FILES, ignore_errors=True)  # of one who was killed while it was filled
            (outer / FILES / ARCHIVE).mkdir(mode=0o700, parents=True)
            fill(outer / FILES / ARCHIVE)
            (outer / FILES / WHOLE).touch()


def is_own(outer: Path) -> bool:
    """Whether it is a folder of this user's that nobody else can enter: anyone may make any name in /tmp."""
    found = outer.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def delete_unused(outer: Path) -> None:
    if is_own(outer):
        with locked(outer / LOCK, wait=False) as is_mine:
            if is_mine:
                delete(outer)
