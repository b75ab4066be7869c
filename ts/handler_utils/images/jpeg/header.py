"""The header of a JPEG, where there is one way only to read it: Pillow's parser takes ten times as long."""

from __future__ import annotations

from typing import NamedTuple, Union

Encoded = Union[bytes, bytearray, memoryview]

# Markers (ITU-T T.81, table B.1): frames of Huffman codes (baseline, extended, progressive), and what may lie
# before the first scan beside one of them: tables (DHT, DQT, DRI), applications' segments and comments.
_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_PROGRESSIVE = 0xC2
_OTHERS = frozenset((0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)))
_SCAN = 0xDA
_EXIF_OR_XMP = 0xE1


class JpegHeader(NamedTuple):
    """What lies before the data of a JPEG's first scan (ITU-T T.81, B.2).

    Attributes:
        width: in pixels.
        height: in pixels.
        channels: 1 (grey), 3 or 4.
        in_one_scan: whether decoders read one scan and no more: it has all channels, and is not progressive.
        tells: first and last byte, plus one, of each segment that may say how the image is turned (EXIF, XMP).
    """

    width: int
    height: int
    channels: int
    in_one_scan: bool
    tells: tuple[tuple[int, int], ...]


def is_jpeg(data: Encoded) -> bool:
    """Whether a file begins as a JPEG does."""
    return bytes(data[:2]) == b"\xff\xd8"


def read_jpeg_header(data: Encoded) -> JpegHeader | None:
    """Reads the header of a JPEG that all decoders read alike.

    One segment must follow the other, each as long as it says, from the start of the file to its first scan, with
    a single frame of 8 bits among them. Decoders skip other things, such as fill bytes, each in its own way.

    Returns:
        None for anything else: other formats, damaged headers, and JPEGs that are written in an unusual way.
    """
    if not is_jpeg(data):
        return None
    frame, progressive, position = None, False, 2
    tells: list[tuple[int, int]] = []
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker, end = data[position + 1], position + 2 + _number(data, position + 2)
        if end < position + 4 or end > len(data):
            return None
        if marker in _FRAMES and frame is None:
            frame, progressive = _read_frame(data, position, end), marker == _PROGRESSIVE
            if frame is None:
                return None
        elif marker == _SCAN:
            one = not progressive and frame is not None and data[position + 4 : end][:1] == bytes([frame[2]])
            return None if frame is None else JpegHeader(*frame, one, tuple(tells))
        elif marker not in _OTHERS:
            return None
        elif marker == _EXIF_OR_XMP:
            tells.append((position, end))
        position = end
    return None


def count_scans(data: Encoded) -> int:
    """The most scans that a JPEG may have: as many as there are markers of scans, wherever they are."""
    return bytes(data).count(b"\xff\xda")


def without_tells(data: Encoded, header: JpegHeader) -> bytes:
    """A JPEG without what may say how it is turned."""
    starts = [0, *(end for _, end in header.tells)]
    ends = [*(start for start, _ in header.tells), len(data)]
    return b"".join(bytes(data[start:end]) for start, end in zip(starts, ends))


def _read_frame(data: Encoded, position: int, end: int) -> tuple[int, int, int] | None:
    """Width, height and channels of a frame (B.2.2), if they are what decoders of 8 bits read."""
    if end - position < 10:
        return None
    bits, channels = data[position + 4], data[position + 9]
    height, width = _number(data, position + 5), _number(data, position + 7)
    fits = bits == 8 and channels in (1, 3, 4) and end - position == 10 + 3 * channels
    return (width, height, channels) if fits and height and width else None


def _number(data: Encoded, position: int) -> int:
    return data[position] << 8 | data[position + 1]
