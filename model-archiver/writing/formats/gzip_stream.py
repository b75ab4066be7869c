"""A gzip stream of which stretches are stored and others deflated.

Python's own writer keeps one level throughout, and even at level 1 random floats pass at 30 MB/s only. A gzip
member for each level would do, but some readers stop after the first: this is one member of both kinds of block.
Formats: RFC 1952 (gzip) and RFC 1951 (deflate; stored blocks are 3.2.4).
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO

HEADER = struct.Struct("<2sBBLBB")
STORED_BLOCK = struct.Struct("<BHH")
TRAILER = struct.Struct("<LL")
LONGEST_BLOCK = 0xFFFF
FASTEST, UNKNOWN_SYSTEM = 4, 255
WORD = 0xFFFFFFFF


class GzipWriter:
    """Writes gzip to `raw`; `close` completes it and leaves `raw` open.

    Attributes:
        stores: Set to store what is written next, cleared to deflate it.

    Args:
        raw: Takes the bytes.
        mtime: Time in the header, in seconds since 1970.
        level: zlib's level for what is deflated.
    """

    def __init__(self, raw: BinaryIO, mtime: int, level: int) -> None:
        self.stores = False
        self._raw = raw
        self._deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._deflating = False
        self._crc = 0
        self._size = 0
        raw.write(HEADER.pack(b"\x1f\x8b", zlib.DEFLATED, 0, mtime & WORD, FASTEST, UNKNOWN_SYSTEM))

    def write(self, data: bytes) -> int:
        """Writes all of `data`, returns its length."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        if self.stores:
            self._store(data)
        else:
            self._deflating = True
            self._raw.write(self._deflate.compress(data))
        return len(data)

    def tell(self) -> int:
        """Returns the number of uncompressed bytes so far, which tarfile asks for."""
        return self._size

    def close(self) -> None:
        """Ends the stream."""
        self._raw.write(self._deflate.flush(zlib.Z_FINISH))
        self._raw.write(TRAILER.pack(self._crc, self._size & WORD))

    def _store(self, data: bytes) -> None:
        if self._deflating:
            # Ends on a byte boundary, and forgets the window: no later match reaches back over stored bytes.
            self._raw.write(self._deflate.flush(zlib.Z_FULL_FLUSH))
            self._deflating = False
        view = memoryview(data)
        for start in range(0, len(view), LONGEST_BLOCK):
            block = view[start : start + LONGEST_BLOCK]
            self._raw.write(STORED_BLOCK.pack(0, len(block), len(block) ^ LONGEST_BLOCK))
            self._raw.write(block)
