"""The size of a JPEG, off its header: Pillow's parser takes ten times as long, under the interpreter's lock."""

from __future__ import annotations

from typing import NamedTuple, Union

Encoded = Union[bytes, bytearray, memoryview]

# Markers (ITU-T T.81, table B.1): frames of Huffman codes (baseline, extended, progressive); other frames; those
# that have no length.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset((0x01, *range(0xD0, 0xDA)))
_SCAN = 0xDA
# EXIF and XMP say how an image is turned, and Adobe's segment how its colours are coded.
_TELLING = frozenset((0xE1, 0xEE))


class JpegHeader(NamedTuple):
    """What a frame header says (ITU-T T.81, B.2.2): pixels, and 1 channel (grey) or 3 (YCbCr)."""

    width: int
    height: int
    channels: int


def read_jpeg_header(data: Encoded) -> JpegHeader | None:
    """Reads the header of a plain JPEG.

    Returns:
        None for anything else, which is left to Pillow: other formats, damaged headers, and JPEGs that are turned
        by EXIF, coded in other colours, or of more than 8 bits.
    """
    if bytes(data[:2]) != b"\xff\xd8":
        return None
    position, end = 2, len(data) - 9
    while position < end and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in _FRAMES:
            return _frame(data, position)
        if marker in _TELLING or marker in _OTHER_FRAMES or marker in _ALONE or marker == _SCAN:
            return None
        position += 2 + _number(data, position + 2)
    return None


def _frame(data: Encoded, position: int) -> JpegHeader | None:
    bits, channels = data[position + 4], data[position + 9]
    height, width = _number(data, position + 5), _number(data, position + 7)
    plain = bits == 8 and channels in (1, 3) and height and width
    return JpegHeader(width, height, channels) if plain else None


def _number(data: Encoded, position: int) -> int:
    return data[position] << 8 | data[position + 1]
