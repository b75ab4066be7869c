"""The folder of photos in the repository's root, for commands to name: copies of those that examples ask about."""

from __future__ import annotations

import shutil
from pathlib import Path

from examples.environment import ROOT

PHOTOS = ROOT / "photos"


def lay_out(photo: Path) -> Path:
    """Copies a photo of the cache into the folder, and returns its path there."""
    path = PHOTOS / photo.name
    if not path.exists():
        PHOTOS.mkdir(exist_ok=True)
        shutil.copyfile(photo, path)
    return path
