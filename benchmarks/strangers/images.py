"""Images that cost much to read and little to send, as bytes. None of them is decoded here.

Sizes are (width, height), in pixels.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any, Callable

from PIL import Image

Size = tuple[int, int]

# Colour types of PNG (its specification, 11.2.1) by Pillow's modes, and the values of a pixel.
_PNG_COLOURS = {"L": (0, 1), "RGB": (2, 3), "P": (3, 1), "LA": (4, 2), "RGBA": (6, 4)}
# The passes of Adam7: first column and row, then steps (PNG specification, 8.2).
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def flat_png(mode: str, size: Size, bits: int = 8, *, interlaced: bool = False) -> bytes:
    """A PNG of one colour: mode L, LA, P, RGB or RGBA, of 1, 2, 4, 8 or 16 bits a value."""
    colour, values = _PNG_COLOURS[mode]
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, int(interlaced))
    chunks = [_png_chunk(b"IHDR", header)]
    if mode == "P":
        chunks.append(_png_chunk(b"PLTE", bytes(range(6))))
    chunks.append(_png_chunk(b"IDAT", _deflate(_png_rows(size, bits * values, interlaced))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + _png_chunk(b"IEND", b"")


def thin_png(length: int = 6000, *, upright: bool = False) -> bytes:
    """A line of grey pixels: what is scaled by its short side becomes huge."""
    return flat_png("L", (1, length) if upright else (length, 1))


def png_with_text(size: int) -> bytes:
    """A small PNG with a compressed text (zTXt) and a profile (iCCP) of so many bytes each."""
    content = _deflate([bytes(size)])
    chunks = _png_chunk(b"iCCP", b"profile\0\0" + content) + _png_chunk(b"zTXt", b"text\0\0" + content)
    whole = flat_png("RGB", (8, 8))
    return whole[:33] + chunks + whole[33:]


def animated_png(frames: int, size: Size = (8, 8)) -> bytes:
    """An APNG of flat frames."""
    pixels = _deflate(_png_rows(size, 24, False))
    whole = flat_png("RGB", size)
    control = struct.pack(">IIIIHHBB", *size, 0, 0, 1, 100, 0, 0)
    chunks = [_png_chunk(b"acTL", struct.pack(">II", frames, 0)), _png_chunk(b"fcTL", bytes(4) + control)]
    more, number = [], 1
    for _ in range(frames - 1):
        more.append(_png_chunk(b"fcTL", struct.pack(">I", number) + control))
        more.append(_png_chunk(b"fdAT", struct.pack(">I", number + 1) + pixels))
        number += 2
    return whole[:33] + b"".join(chunks) + whole[33:-12] + b"".join(more) + whole[-12:]


def _png_rows(size: Size, bits: int, interlaced: bool) -> Iterable[bytes]:
    width, height = size
    for left, top, right, down in _ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        if columns > 0:
            row = bytes(1 + -(-columns * bits // 8))
            yield from (row for _ in range(rows))


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _deflate(parts: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*map(packer.compress, parts), packer.flush()])


# JPEG (ITU-T T.81) ---------------------------------------------------------------------------------------------


def flat_jpeg(size: Size, progressive: bool = False, mode: str = "RGB") -> bytes:
    """A whole JPEG of one colour, as Pillow writes it."""
    return _saved(Image.new(mode, size), "JPEG", progressive=progressive, optimize=True)


def empty_scans_jpeg(
    size: Size, scans: int = 1, *, progressive: bool = True, channels: int = 3, sampling: int = 0x11
) -> bytes:
    """A JPEG of scans without data: decoders take each for grey, at the cost of a whole one.

    Args:
        sampling: of each channel, horizontal and vertical factors (T.81, B.2.2).
    """
    frame = jpeg_frame(size, 0xC2 if progressive else 0xC0, channels=channels, sampling=sampling)
    return b"\xff\xd8" + jpeg_tables() + frame + _scans(channels, scans, progressive) + b"\xff\xd9"


def decoy_jpeg(size: Size, decoy: Size = (10, 10)) -> bytes:
    """A JPEG with a fill byte (B.1.1.2) before its frame header, and a smaller frame in a comment.

    Whoever takes the fill byte for a marker reads the length of its segment from the frame's own bytes, c2 00, and
    lands in the comment.
    """
    frame = b"\xff" + jpeg_frame(size, 0xC2)
    behind_the_comments_head = 2 + 0xC200 - len(frame) - 4
    comment = jpeg_segment(0xFE, bytes(behind_the_comments_head) + jpeg_frame(decoy))
    return b"\xff\xd8" + jpeg_tables() + frame + comment + _scans(3, 1, True) + b"\xff\xd9"


def jpeg_frame(size: Size, marker: int = 0xC0, *, channels: int = 3, sampling: int = 0x11) -> bytes:
    """A frame header (B.2.2) of 8 bits a sample."""
    parts = b"".join(bytes([number + 1, sampling, 0]) for number in range(channels))
    return jpeg_segment(marker, struct.pack(">BHHB", 8, size[1], size[0], channels) + parts)


def jpeg_segment(marker: int, content: bytes) -> bytes:
    """A marker segment (B.1.1.4)."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_tables() -> bytes:
    """A quantization table of ones, and Huffman tables of a single code of one bit each."""
    huffman = b"\x01" + bytes(15) + b"\x00"
    return jpeg_segment(0xDB, b"\x00" + b"\x01" * 64) + b"".join(
        jpeg_segment(0xC4, bytes([table]) + huffman) for table in (0x00, 0x10)
    )


def _scans(channels: int, scans: int, progressive: bool) -> bytes:
    """Of a progressive image: the first of its DC values, all others of AC values of its first channel."""
    parts = b"".join(bytes([number + 1, 0]) for number in range(channels))
    last = b"\x00\x00\x00" if progressive else b"\x00\x3f\x00"
    first = jpeg_segment(0xDA, bytes([channels]) + parts + last)
    return first + jpeg_segment(0xDA, b"\x01\x01\x00\x01\x3f\x00") * (scans - 1)


# Other formats -------------------------------------------------------------------------------------------------


def flat_webp(size: Size, lossless: bool = False) -> bytes:
    """A WebP of one colour."""
    return _saved(Image.new("RGB", size), "WEBP", lossless=lossless, method=0, quality=0)


def flat_avif(size: Size) -> bytes:
    """An AVIF of one colour; Pillow must have been built with it."""
    return _saved(Image.new("RGB", size), "AVIF", speed=10, quality=0)


def flat_gif(size: Size) -> bytes:
    """A GIF of one colour."""
    return _saved(Image.new("P", size), "GIF")


def overflowing_gif(canvas: Size, frame: Size) -> bytes:
    """A GIF whose frame is larger than its canvas."""
    whole = bytearray(flat_gif(frame))
    whole[6:10] = struct.pack("<HH", *canvas)
    return bytes(whole)


def animated_gif(frames: int, size: Size = (8, 8)) -> bytes:
    """A GIF of many frames."""
    whole = flat_gif(size)
    start = whole.index(b"\x2c", 13 + 3 * 2 ** ((whole[10] & 7) + 1))
    return whole[:-1] + whole[start:-1] * (frames - 1) + b";"


# Photometric interpretation and samples a pixel of TIFF 6.0, by Pillow's modes.
_TIFF_COLOURS = {"1": (1, 1), "L": (1, 1), "RGB": (2, 3), "RGBA": (2, 4), "CMYK": (5, 4), "F": (1, 1)}


def flat_tiff(mode: str, size: Size, compression: str = "none", bits: int = 8, rows: int = 16) -> bytes:
    """A TIFF whose strips all lie in the same place of the file.

    Args:
        compression: none, lzw or deflate.
        rows: of a strip.
    """
    interpretation, samples = _TIFF_COLOURS[mode]
    width, height = size
    packed: dict[str, tuple[int, Callable[[int], bytes]]] = {
        "none": (1, bytes),
        "lzw": (5, _lzw_zeros),
        "deflate": (8, lambda count: zlib.compress(bytes(count), 9)),
    }
    number, pack = packed[compression]
    strip = pack(rows * -(-width * samples * bits // 8))
    strips = -(-height // rows)
    fields = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [bits] * samples),
        259: (3, [number]),
        262: (3, [interpretation]),
        273: (4, [8] * strips),
        277: (3, [samples]),
        278: (4, [rows]),
        279: (4, [len(strip)] * strips),
        339: (3, [3 if mode == "F" else 1] * samples),
    }
    if mode == "RGBA":
        fields[338] = (3, [2])
    return tiff(strip, fields)


def tiff(content: bytes, fields: dict[int, tuple[int, list[int]]]) -> bytes:
    """A little-endian TIFF: content from byte 8 on, and one directory of fields (type 3 or 4, values)."""
    content += bytes(len(content) % 2)
    directory_at, body = 8 + len(content), b""
    behind = directory_at + 2 + 12 * len(fields) + 4
    entries = struct.pack("<H", len(fields))
    for tag in sorted(fields):
        kind, values = fields[tag]
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        place = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", behind + len(body))
        body += packed if len(packed) > 4 else b""
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    return b"II*\0" + struct.pack("<I", directory_at) + content + entries + bytes(4) + body


def _lzw_zeros(count: int) -> bytes:
    """Zeros as TIFF's LZW (TIFF 6.0, section 13) has them, by Pillow."""
    data = _saved(Image.new("L", (count, 1)), "TIFF", compression="tiff_lzw")
    with Image.open(io.BytesIO(data)) as image:
        fields: Any = image
        offset, length = fields.tag_v2[273][0], fields.tag_v2[279][0]
    return data[offset : offset + length]


def bmp_of_ends(size: Size, ends: int) -> bytes:
    """A BMP in run lengths (RLE8): one pixel a row, then its end, so that a decoder fills up the row."""
    content = b"\x01\x00\x00\x00" * ends + b"\x00\x01"
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(content), 0, 0, 2, 0)
    offset = 14 + len(header) + 8
    return struct.pack("<2sIHHI", b"BM", offset + len(content), 0, 0, offset) + header + bytes(8) + content


def flat_bmp(size: Size) -> bytes:
    """A BMP of run lengths as long as they get."""
    width, height = size
    row = b"\xff\x00" * (width // 255) + (bytes([width % 255, 0]) if width % 255 else b"") + b"\x00\x00"
    content = row * height + b"\x00\x01"
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(content), 0, 0, 2, 0)
    offset = 14 + len(header) + 8
    return struct.pack("<2sIHHI", b"BM", offset + len(content), 0, 0, offset) + header + bytes(8) + content


def plain_ppm(size: Size) -> bytes:
    """The header of a PPM of decimal numbers, with few of them."""
    return f"P3 {size[0]} {size[1]} 255\n".encode() + b"0 " * 1000


def eps(size: Size = (100, 100)) -> bytes:
    """A PostScript program: Pillow starts Ghostscript for it."""
    return (
        f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 {size[0]} {size[1]}\n%%EndComments\nshowpage\n".encode()
    )


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
