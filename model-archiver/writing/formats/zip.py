"""`.mar`: a zip file.

Sizes and checksums stand in the local headers (zipfile goes back to fill them in): TorchServe unpacks archives
with java.util.zip.ZipInputStream, which cannot read stored members that announce theirs in a data descriptor.
"""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Callable, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from ...inputs.entry import Entry
from ...reproducible import member_time
from ..compressibility import LEVEL
from ..integrity import CHUNK
from .base import ArchiveFormat, Members

# APPNOTE.TXT 4.4.2 and 4.4.15: whose file attributes those of a member are, and MS-DOS's bit for folders.
UNIX = 3
DOS_FOLDER = 0x10


class ZipFormat(ArchiveFormat):
    """A zip file.

    Args:
        deflates: Picks the members that are deflated; the others are stored.
    """

    suffix = ".mar"

    def __init__(self, deflates: Callable[[Entry], bool]) -> None:
        self._deflates = deflates

    def write(self, path: Path, model_name: str, members: Members) -> None:
        when = time.gmtime(member_time())
        with ZipFile(path, "w") as archive:
            for entry, stream in members:
                info = _zip_info(entry, when)
                info.compress_type = ZIP_DEFLATED if self._deflates(entry) else ZIP_STORED
                with archive.open(info, "w") as member:
                    shutil.copyfileobj(stream, member, CHUNK)

    def read(self, path: Path, model_name: str) -> Iterator[tuple[str, BinaryIO]]:
        with ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    with archive.open(info) as stream:
                        yield info.filename, cast(BinaryIO, stream)


def _zip_info(entry: Entry, when: time.struct_time) -> ZipInfo:
    name = f"{entry.name}/" if entry.is_folder else entry.name
    info = ZipInfo(name, (when.tm_year, when.tm_mon, when.tm_mday, when.tm_hour, when.tm_min, when.tm_sec))
    info.file_size = entry.size  # by which zipfile decides on zip64 before it writes the header
    info._compresslevel = LEVEL  # type: ignore[attr-defined]  # has a public name only since Python 3.13
    info.create_system = UNIX
    kind = stat.S_IFDIR if entry.is_folder else stat.S_IFREG
    info.external_attr = (kind | entry.mode) << 16 | (DOS_FOLDER if entry.is_folder else 0)
    return info
