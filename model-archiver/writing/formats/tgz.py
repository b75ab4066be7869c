"""`.tar.gz`: the members lie in a folder named for the model."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Callable, cast

from ...inputs.entry import Entry
from ...reproducible import member_time
from ..compressibility import LEVEL
from ..integrity import CHUNK
from .base import ArchiveFormat, Members
from .gzip_stream import GzipWriter

BUFFER = 1 << 16  # bytes; tarfile joins what it has read buffer by buffer, so that larger ones are slower


class TgzFormat(ArchiveFormat):
    """A gzipped tar file.

    Args:
        deflates: Picks the members that are deflated; the others are stored in the gzip stream.
    """

    suffix = ".tar.gz"

    def __init__(self, deflates: Callable[[Entry], bool]) -> None:
        self._deflates = deflates

    def write(self, path: Path, model_name: str, members: Members) -> None:
        when = member_time()
        with path.open("wb") as raw:
            gzip = GzipWriter(raw, when, LEVEL)
            with tarfile.TarFile(
                fileobj=cast(BinaryIO, gzip), mode="w", format=tarfile.PAX_FORMAT, copybufsize=CHUNK
            ) as archive:
                for entry, stream in members:
                    gzip.stores = not self._deflates(entry)
                    archive.addfile(_tar_info(entry, model_name, when), stream)
                gzip.stores = False
            gzip.close()

    def read(self, path: Path, model_name: str) -> Iterator[tuple[str, BinaryIO]]:
        with tarfile.open(path, "r|gz", bufsize=BUFFER) as archive:
            for info in archive:
                if info.isfile():
                    yield info.name[len(model_name) + 1 :], cast(BinaryIO, archive.extractfile(info))


def _tar_info(entry: Entry, model_name: str, when: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(f"{model_name}/{entry.name}")
    info.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
    info.size = entry.size
    info.mtime = when
    info.mode = entry.mode
    return info
