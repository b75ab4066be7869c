"""JPEGs of any size in few bytes, written by hand (ITU T.81).

Their Huffman tables have one code, of one bit, for what costs nothing: no difference of brightness, and no more
coefficients in this block. So zeros are a flat picture, and a scan may have no data at all: decoders fill it in.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

BASELINE, PROGRESSIVE, LOSSLESS, ARITHMETIC = 0xC0, 0xC2, 0xC3, 0xC9  # markers of frames
ARITHMETIC_PROGRESSIVE = 0xCA
_DATA_BYTES = 90_000  # at most, so that a request stays below 100 kB
_SKIPS = 0xE0  # of a progressive scan: as many blocks as 14 further bits say, and 2**14, have nothing more


@dataclass(frozen=True)
class Scan:
    """Which coefficients of which components follow (B.2.3).

    Attributes:
        components: their indexes; None stands for all.
        first: the first coefficient, in zigzag order.
        last: the last one.
        approximation: Ah and Al, four bits each.
        data: bytes of zeros; None stands for as many as the picture takes, within `_DATA_BYTES`.
    """

    components: Optional[Sequence[int]] = None
    first: int = 0
    last: int = 63
    approximation: int = 0
    data: Optional[int] = None


EMPTY = Scan(data=0)
REFINED = Scan(components=[0], first=1, last=63, approximation=0x10, data=0)


def jpeg(
    width: int,
    height: int,
    *,
    frame: int = BASELINE,
    components: int = 3,
    sampling: int = 0x22,
    precision: int = 8,
    scans: Sequence[Scan] = (Scan(),),
    before_frame: bytes = b"",
    before_scans: bytes = b"",
) -> bytes:
    """A flat JPEG.

    Args:
        width: at most 65535, as its height.
        height: 0 leaves it to a marker DNL, which few decoders read.
        frame: the marker of the frame, which says how it is coded.
        components: 1: grey, 3: YCbCr, 4: CMYK.
        sampling: horizontal and vertical factors of the first component, four bits each; the others' are 1.
        precision: bits a sample.
        scans: what follows.
        before_frame: segments to put in front of the frame header.
        before_scans: segments to put behind it.
    """
    parts = [b"\xff\xd8", before_frame, segment(0xDB, b"\0" + b"\1" * 64)]
    factors = [sampling if index == 0 and components > 1 else 0x11 for index in range(components)]
    sizes = struct.pack(">BHHB", precision, height, width, components)
    parts.append(segment(frame, sizes + b"".join(bytes([i + 1, f, 0]) for i, f in enumerate(factors))))
    if frame < ARITHMETIC:
        last_code = _SKIPS if frame == PROGRESSIVE else 0
        parts += [segment(0xC4, table(0x00, 0)), segment(0xC4, table(0x10, last_code))]
    parts.append(before_scans)
    for scan in scans:
        parts += [_header(scan, components, frame), bytes(_length(scan, frame, width, height, factors))]
    return b"".join([*parts, b"\xff\xd9"])


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def table(place: int, symbol: int) -> bytes:
    """A Huffman table (B.2.4.2) with one code, the bit 0."""
    return bytes([place, 1, *[0] * 15, symbol])


def _header(scan: Scan, components: int, frame: int) -> bytes:
    indexes = range(components) if scan.components is None else scan.components
    last = 0 if frame == LOSSLESS else scan.last
    first = 1 if frame == LOSSLESS else scan.first  # the predictor
    named = b"".join(bytes([index + 1, 0]) for index in indexes)
    return segment(0xDA, bytes([len(indexes)]) + named + bytes([first, last, scan.approximation]))


def _length(scan: Scan, frame: int, width: int, height: int, factors: Sequence[int]) -> int:
    """Bytes of data that fill a scan: one bit a code of each block."""
    if scan.data is not None:
        return scan.data
    indexes = range(len(factors)) if scan.components is None else scan.components
    if len(indexes) == 1:
        blocks = -(-width // 8) * -(-height // 8)
    else:
        across, down = factors[0] >> 4, factors[0] & 15
        units = -(-width // (8 * across)) * -(-height // (8 * down))
        blocks = units * sum((factors[index] >> 4) * (factors[index] & 15) for index in indexes)
    codes = 2 if frame == BASELINE else 1
    return min(blocks * codes // 8 + 1, _DATA_BYTES)
