"""Where this library keeps what it can make or fetch again."""

from __future__ import annotations

import os
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
