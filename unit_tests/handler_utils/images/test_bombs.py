"""Small files that unfold to much: read in little memory, or refused, in a process that has no more."""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import other_process
import pytest

from benchmarks.strangers import images as hostile_images
from benchmarks.strangers.images import flat_jpeg, flat_png, flat_webp, jpeg_segment, tiff

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc are Linux's")

LIMITED = """
import base64, resource
import torch
torch.set_num_threads(1)
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.transform import ImageTransform
reader, transform = ImageReader(), ImageTransform(resize=256, crop=224)
for warm in arguments["first"]:
    reader.pixels(base64.b64decode(warm), transform)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500 * 2**20,) * 2)

def outcome(data):
    try:
        return list(reader.pixels(base64.b64decode(data), transform).shape)
    except InvalidInput as error:
        return error.error_code
    except MemoryError:
        return "out of memory"

answer({name: outcome(data) for name, data in arguments["bombs"].items()})
"""


def directory(entries: int, size: int) -> bytes:
    """A directory of TIFF and EXIF: turned, and with many entries that all say to be the same fractions."""
    fields = [struct.pack("<HHII", 0x112, 3, 1, 6)]
    fields += [struct.pack("<HHII", 40000 + number, 5, size // 8, 8) for number in range(entries)]
    head = b"II*\0" + struct.pack("<I", 8 + size) + b"\1\0\0\0" * (size // 4)
    return head + struct.pack("<H", len(fields)) + b"".join(fields) + bytes(4)


def png_with(kind: bytes, content: bytes, times: int = 1) -> bytes:
    chunk = struct.pack(">I", len(content)) + kind + content
    whole = flat_png("RGB", (40, 30))
    return whole[:33] + (chunk + struct.pack(">I", zlib.crc32(kind + content))) * times + whole[33:]


def jpeg_with(marker: int, content: bytes) -> bytes:
    whole = flat_jpeg((40, 30))
    return whole[:2] + jpeg_segment(marker, content) + whole[2:]


def tiles(width: int, height: int) -> bytes:
    """A TIFF of 100x100 pixels in one larger tile."""
    content = zlib.compress(bytes(10**6), 9)
    sizes = {
        256: 100,
        257: 100,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        322: width,
        323: height,
        324: 8,
        325: len(content),
    }
    return tiff(content, {tag: (4, [value]) for tag, value in sizes.items()})


def webp_canvas(width: int, height: int) -> bytes:
    """An animation of one small frame on a large canvas."""

    def three(number: int) -> bytes:
        return struct.pack("<I", number)[:3]

    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

    frame = bytes(6) + three(7) + three(7) + three(100) + b"\0" + flat_webp((8, 8), lossless=True)[12:]
    body = chunk(b"VP8X", b"\2\0\0\0" + three(width - 1) + three(height - 1)) + chunk(b"ANIM", bytes(6))
    body = b"WEBP" + body + chunk(b"ANMF", frame)
    return b"RIFF" + struct.pack("<I", len(body)) + body


MEGABYTE = zlib.compress(bytes(10**6), 9)
READ = [3, 224, 224]
BOMBS = {
    "a PNG with a text of a gigabyte": (
        png_with(b"zTXt", b"key\0\0" + zlib.compress(bytes(10**9), 9)),
        (READ, 400),
    ),
    "a PNG with 1,000 texts of a megabyte": (png_with(b"zTXt", b"key\0\0" + MEGABYTE, 1000), (READ, 400)),
    "a PNG with a profile of a gigabyte": (
        png_with(b"iCCP", b"key\0\0" + zlib.compress(bytes(10**9), 9)),
        (READ, 400),
    ),
    "a PNG with EXIF that overlaps": (png_with(b"eXIf", directory(4000, 50_000)), (READ,)),
    "a JPEG with EXIF that overlaps": (jpeg_with(0xE1, b"Exif\0\0" + directory(2500, 32_000)), (READ,)),
    "a JPEG with an index that overlaps": (jpeg_with(0xE2, b"MPF\0" + directory(2500, 32_000)), (READ,)),
    "a PNG of 10,000 frames": (hostile_images.animated_png(10_000), (READ,)),
    "a GIF of 20,000 frames": (hostile_images.animated_gif(20_000), (READ,)),
    "a GIF whose frame is larger than its canvas": (
        hostile_images.overflowing_gif((5, 5), (20_000, 9000)),
        (413,),
    ),
    "a TIFF with a tile of 400 megabytes": (tiles(20_000, 20_000), (413,)),
    "a TIFF with a tile of 32 gigabytes": (tiles(2**31 - 16, 16), (413,)),
    "a WebP of a small frame on a large canvas": (webp_canvas(16383, 16383), (413,)),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What became of each bomb in one process: the shape of its pixels, or the status of the error."""
    first = [flat_jpeg((40, 30)), flat_png("L", (40, 30)), hostile_images.flat_tiff("L", (40, 30), "deflate")]
    arguments = {
        "first": [base64.b64encode(image).decode() for image in first],
        "bombs": {name: base64.b64encode(bomb).decode() for name, (bomb, _) in BOMBS.items()},
    }
    root = Path(__file__).resolve().parents[3]
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n" + LIMITED
    return other_process.run(code, arguments, tmp_path_factory.mktemp("bombs"))


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_little_memory(name, outcomes):
    assert outcomes[name] in BOMBS[name][1]
