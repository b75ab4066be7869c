"""`no-archive`: a folder that holds the files as they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ...reproducible import member_time
from ..integrity import CHUNK
from .base import ArchiveFormat, Members

FOLDER_MODE = 0o755


class FolderFormat(ArchiveFormat):
    """A plain folder, whose times and permissions depend on nothing but its content."""

    suffix = ""
    is_folder = True

    def write(self, path: Path, model_name: str, members: Members) -> None:
        for entry, stream in members:
            place = path / entry.name
            if entry.is_folder:
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                shutil.copyfileobj(stream, file, CHUNK)
            place.chmod(entry.mode)
        _settle(path)

    def read(self, path: Path, model_name: str) -> Iterator[tuple[str, BinaryIO]]:
        for folder, _, files in os.walk(path):
            for name in files:
                file = Path(folder, name)
                with file.open("rb") as stream:
                    yield file.relative_to(path).as_posix(), stream


def _settle(path: Path) -> None:
    when = member_time()
    for folder, _, files in os.walk(path, topdown=False):
        for name in files:
            os.utime(Path(folder, name), (when, when))
        os.chmod(folder, FOLDER_MODE)
        os.utime(folder, (when, when))
