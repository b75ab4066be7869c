"""A file over 4 GiB. It is sparse: nothing of its size lies on the disk, before or after."""

from __future__ import annotations

import struct
import zipfile

import pytest
from model_archiver.writing import archive as writing
from model_archiver.writing import source_stream

SIZE = (4 << 30) + 3
ZIP64_EXTRA = 1  # APPNOTE.TXT 4.5.3
IN_THE_EXTRA = 0xFFFFFFFF
CONTENT = b"end"  # of the file; all before is a hole
ZEROS = bytes(1 << 20)


class SparseReader:
    """Reads the large file; the zeros of its hole do not come from the system, which would take longest."""

    def __init__(self, file):
        self._file = file

    def read(self, size):
        here = self._file.tell()
        if here + size > SIZE - len(CONTENT):
            return self._file.read(size)
        self._file.seek(here + size)
        return ZEROS[:size]


@pytest.fixture
def large_file(inputs):
    path = inputs / "large.pt"
    with path.open("wb") as file:
        file.seek(SIZE - len(CONTENT))
        file.write(CONTENT)
    if path.stat().st_blocks * 512 > SIZE // 2:
        pytest.skip("this file system has no sparse files")
    return path


@pytest.mark.long
def test_a_file_over_4_gib_is_packed(pack, large_file, monkeypatch):
    # Reading it back takes as long again; test_formats.py has that for the same structures.
    monkeypatch.setattr(writing, "_check_written", lambda *_: None)
    start = source_stream.SourceStream.__init__
    monkeypatch.setattr(
        source_stream.SourceStream,
        "__init__",
        lambda stream, entry, file, advance: start(stream, entry, SparseReader(file), advance),
    )
    path = pack(serialized_file="large.pt", handler="base_handler")
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("large.pt")
    assert info.file_size == SIZE
    assert info.compress_size < SIZE // 100
    with path.open("rb") as file:
        file.seek(info.header_offset + 14)
        assert struct.unpack("<LLL", file.read(12)) == (info.CRC, IN_THE_EXTRA, IN_THE_EXTRA)
        file.seek(info.header_offset + 30 + len("large.pt"))
        assert struct.unpack("<HHQQ", file.read(20)) == (ZIP64_EXTRA, 16, SIZE, info.compress_size)
