"""Where this library keeps what it can make or fetch again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

VARIABLE = "TORCHSERVE_HANDLERS_CACHE"


def cache_folder() -> Path:
    """The folder that the environment names, or one in this user's cache folder."""
    chosen = os.environ.get(VARIABLE)
    folder = Path(chosen or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "torchserve-handlers"))
    try:
        return folder.expanduser()
    except RuntimeError:  # a user without a home, as a container may have: it is "/" then, as Docker has it
        return Path(os.sep, ".cache", "torchserve-handlers")


def own_folder(path: Path) -> None:
    """Makes a folder, if there is none, in which this user alone writes; or the system's, for all users.

    Raises:
        OSError: it cannot be made; or others write there, who could lay in what they like.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()  # a link could be another's
    if not hasattr(os, "geteuid"):
        return
    if stat.S_ISLNK(found.st_mode) or found.st_uid not in (0, os.geteuid()):
        raise PermissionError("it belongs to another user")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"others may write there: chmod go-w {path}")
