"""The parts of a zip archive of torch, where all who read it see the same ones."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown

# torch writes tensors as they are, and compresses code and what belongs to it, to about a tenth.
MOST_BYTES_BEYOND_THE_FILE = 100_000_000

_NAME = re.compile(r"[ -.0-\[\]-~]+(/[ -.0-\[\]-~]+)*/?")  # printable ASCII without backslashes


class ZipParts:
    """Reads the parts of a zip archive as both `zipfile` and torch's own reader find them.

    torch reads some parts by the one and some by the other. They differ in archives that were made for it: in
    which of two directories counts, and whether the case of a name does.

    Args:
        file: the archive.

    Attributes:
        names: of all parts, as the archive's directory has them.

    Raises:
        Refused: a name comes twice or leads out of the archive, or the readers do not agree.
        zipfile.BadZipFile: it is no zip archive, or not whole.
    """

    def __init__(self, file: str | Path | io.BytesIO) -> None:
        self._zip = zipfile.ZipFile(file)
        infos = self._zip.infolist()
        self.names = [info.filename for info in infos]
        for name in self.names:
            if not _NAME.fullmatch(name) or ".." in name.split("/"):
                raise Refused(f"a part of the name {shown(name)}, which is no plain path")
        if len({name.casefold() for name in self.names}) != len(self.names):
            raise Refused("two parts of one name")
        size = len(file.getbuffer()) if isinstance(file, io.BytesIO) else Path(file).stat().st_size
        beyond = sum(info.file_size for info in infos) - size
        if beyond > MOST_BYTES_BEYOND_THE_FILE:
            raise Refused(
                f"parts of {beyond} bytes more than the file has, and {MOST_BYTES_BEYOND_THE_FILE} are the most"
            )
        self._root, _, _ = self.names[0].partition("/") if self.names else ("", "", "")
        self._torch = self._torch_reader(file)

    def _torch_reader(self, file: str | Path | io.BytesIO) -> Any:
        """torch's reader; None for an archive whose parts lie in no folder, which it does not read."""
        try:
            reader = torch._C.PyTorchFileReader(file if isinstance(file, io.BytesIO) else str(file))
            records = {f"{self._root}/{name}" for name in reader.get_all_records()}
        except RuntimeError:
            return None
        if records != {name for name in self.names if not name.endswith("/")}:
            raise Refused("parts that only one of its readers finds")
        return reader

    def read(self, name: str) -> bytes:
        """The content of a part.

        Raises:
            Refused: the readers do not agree on it.
            zipfile.BadZipFile: it is damaged.
        """
        content = self._zip.read(name)
        if self._torch is not None and self._torch.get_record(name[len(self._root) + 1 :]) != content:
            raise Refused(f"a part {shown(name)} that its readers read differently")
        return content

    def size(self, name: str) -> int:
        """The bytes of a part's content."""
        return self._zip.getinfo(name).file_size

    def close(self) -> None:
        self._zip.close()
