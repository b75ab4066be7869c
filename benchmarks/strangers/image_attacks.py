"""Images of every format, as large as the limits allow and a little larger, in less than 100 kB."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from functools import cache, partial
from math import isqrt
from typing import Callable

from PIL import Image, features

from benchmarks.strangers import images
from benchmarks.strangers.attacks import MOST_BYTES, Attack, Limits
from benchmarks.strangers.jpegs import (
    ARITHMETIC,
    ARITHMETIC_PROGRESSIVE,
    BASELINE,
    EMPTY,
    LOSSLESS,
    PROGRESSIVE,
    REFINED,
    Scan,
    jpeg,
    segment,
)

Size = tuple[int, int]
Make = Callable[[Size], bytes]
FIRST = Scan(last=0, data=0)  # of a progressive image: the mean of each block
DEFLATED = 1000  # at best a byte of deflate stands for so many


@cache
def image_attacks(limits: Limits) -> tuple[Attack, ...]:
    """All images, made once for all handlers."""
    return (*formats(limits), *answered_attacks(limits), *thin_attacks(limits), *odd_attacks())


def formats(limits: Limits) -> Iterator[Attack]:
    """Images of each format, just below and just above `max_pixels`."""
    yield Attack("ordinary photos", "500x375", ordinary_photo, in_all_ways=True, quick=True)
    for kind, made in (("JPEG", jpegs(limits)), ("PNG", pngs()), ("other formats", others())):
        for name, make in made.items():
            quick = name in QUICK
            for share, words in SHARES if name not in FAR else (*SHARES, (8, "8 max_pixels")):
                bound = partial(cut, make, square(int(limits.pixels * share)))
                yield Attack(kind, f"{name}, {words}", bound, in_all_ways=quick and share < 1, quick=quick)


def answered_attacks(limits: Limits) -> Iterator[Attack]:
    """Images of nearly as many pixels as an answer may show."""
    size, half = (square(int(limits.answer_pixels * share)) for share in (0.99, 0.495))
    made: dict[str, Callable[[], bytes]] = {
        "JPEG": partial(images.flat_jpeg, size),
        "PNG": partial(images.flat_png, "RGB", size),
        "PNG of half": partial(images.flat_png, "RGB", half),
        "PNG of squares": partial(squares, half),
    }
    for name, make in made.items():
        yield Attack("large answers", f"{name}, below max_answer_pixels", make, in_all_ways=True, quick=True)


def squares(size: Size) -> bytes:
    """As many different patches as a network's mask has pixels."""
    noise = Image.frombytes("P", (224, 224), random.Random(0).randbytes(224 * 224)).point(
        lambda value: value % 8
    )
    noise.putpalette(
        [value for index in range(8) for value in (index * 36, index * 90 % 256, index * 150 % 256)]
    )
    return saved(noise.resize(size, Image.Resampling.NEAREST), "PNG")


SHARES = ((0.99, "below max_pixels"), (1.01, "above max_pixels"))
FAR = {"empty scan", "decoy frame", "1 bit"}  # those that are made in no time
QUICK = {"empty scan", "CMYK", "16 bits grey", "RGBA interlaced", "GIF", "WebP", "TIFF float"}


def square(pixels: int) -> Size:
    side = isqrt(pixels)
    return side, side


def cut(make: Make, size: Size) -> bytes:
    """An image, of which what is beyond the size of a request is not sent."""
    return make(size)[: MOST_BYTES - 1000]


def ordinary_photo() -> bytes:
    """What a client of good will sends: noise, as far as a decoder is concerned."""
    noise = Image.frombytes("RGB", (50, 38), random.Random(0).randbytes(50 * 38 * 3))
    return saved(noise.resize((500, 375), Image.Resampling.BICUBIC), "JPEG")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


# Formats -------------------------------------------------------------------------------------------------------


def jpegs(limits: Limits) -> dict[str, Make]:
    """JPEGs of all codings and scans, by name; a size comes later, since JPEG's sides end at 65535."""

    def made(frame: int = BASELINE, **options: object) -> Make:
        return lambda size: jpeg(*size, frame=frame, **options)  # type: ignore[arg-type]

    scans = {
        "first scans": [FIRST] * limits.scans,
        "AC scans": [FIRST] + [Scan([0], first=1, data=0)] * (limits.scans - 1),
        "refining scans": [FIRST, Scan([0], 1, 63, 1, 0), *[REFINED] * (limits.scans - 2)],
        "scans above max_scans": [FIRST] * (limits.scans + 1),
        "2000 scans": [FIRST] * 2000,
    }
    return {
        "empty scan": made(scans=[EMPTY]),
        "grey": made(components=1),
        "colour": made(),
        "4:4:4": made(sampling=0x11, scans=[EMPTY]),
        "4:1:1": made(sampling=0x41, scans=[EMPTY]),
        "CMYK": made(components=4, sampling=0x11, scans=[EMPTY]),
        "a scan a component": made(scans=[Scan([0], data=0), Scan([1], data=0), Scan([2], data=0)]),
        "the same scan": made(scans=[Scan([0], data=0)] * limits.scans),
        "arithmetic": made(ARITHMETIC, sampling=0x11, scans=[EMPTY]),
        "lossless": made(LOSSLESS, sampling=0x11, scans=[EMPTY]),
        "progressive": made(PROGRESSIVE, sampling=0x11, scans=[FIRST]),
        **{
            f"progressive, {name}": made(PROGRESSIVE, sampling=0x11, scans=each)
            for name, each in scans.items()
        },
        **{f"arithmetic, {name}": made(ARITHMETIC_PROGRESSIVE, scans=each) for name, each in scans.items()},
        "decoy frame": images.decoy_jpeg,
    }


def pngs() -> dict[str, Make]:
    """PNGs of all types and depths, by name: whole ones as large as 100 kB hold, others cut."""
    kinds = {
        "grey": ("L", 8, False),
        "16 bits grey": ("L", 16, False),
        "1 bit": ("L", 1, False),
        "palette": ("P", 8, False),
        "palette of 1 bit": ("P", 1, False),
        "grey alpha": ("LA", 8, False),
        "16 bits grey alpha": ("LA", 16, False),
        "RGB": ("RGB", 8, False),
        "RGB interlaced": ("RGB", 8, True),
        "16 bits RGB": ("RGB", 16, False),
        "RGBA": ("RGBA", 8, False),
        "RGBA interlaced": ("RGBA", 8, True),
        "16 bits RGBA": ("RGBA", 16, False),
    }
    values = {"L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4}
    made: dict[str, Make] = {}
    for name, (mode, bits, interlaced) in kinds.items():
        most = int(MOST_BYTES * 0.97 * DEFLATED * 8 / (bits * values[mode]))
        made[name] = lambda size, mode=mode, bits=bits, interlaced=interlaced, most=most: (  # type: ignore[misc]
            images.flat_png(mode, at_most(size, most), bits, interlaced=interlaced)
        )
    made["RGB, cut"] = lambda size: images.flat_png("RGB", size)
    return made


def at_most(size: Size, pixels: int) -> Size:
    return size if size[0] * size[1] <= pixels else square(pixels)


def others() -> dict[str, Make]:
    """Formats but JPEG and PNG, by name; of those that Pillow writes only where it can."""
    made: dict[str, Make] = {
        "GIF": images.flat_gif,
        "GIF of a larger frame": lambda size: images.overflowing_gif((10, 10), size),
        "TIFF": lambda size: images.flat_tiff("RGB", size, "deflate"),
        "TIFF LZW": lambda size: images.flat_tiff("L", size, "lzw"),
        "TIFF float": lambda size: images.flat_tiff("F", size, "deflate", bits=32),
        "TIFF 16 bits": lambda size: images.flat_tiff("L", size, "deflate", bits=16),
        "TIFF CMYK": lambda size: images.flat_tiff("CMYK", size, "deflate"),
        "TIFF of one strip": lambda size: images.flat_tiff("L", size, "deflate", rows=size[1]),
        "TIFF of a strip a row": lambda size: images.flat_tiff("L", size, "deflate", rows=1),
        "BMP": images.flat_bmp,
        "BMP of ends": lambda size: images.bmp_of_ends(size, 20_000),
        "PPM": images.plain_ppm,
        "EPS": images.eps,
    }
    if features.check("webp"):
        made["WebP"] = lambda size: images.flat_webp(within(size, 16_383))
        made["WebP lossless"] = lambda size: images.flat_webp(within(size, 16_383), lossless=True)
    if features.check("avif"):
        made["AVIF"] = lambda size: images.flat_avif(within(size, 9_000))
    return made


def within(size: Size, side: int) -> Size:
    """Sizes that a format has not become the largest that it has."""
    return min(size[0], side), min(size[1], side)


# Shapes, and what lies around the picture ------------------------------------------------------------------------


def thin_attacks(limits: Limits) -> Iterator[Attack]:
    """Lines, lying and upright, around the largest aspect and beyond."""
    for length in (6_000, 60_000, 500_000, limits.pixels - 1, limits.pixels + 1):
        for upright in (False, True) if length < 1_000_000 else (False,):  # a row a pixel takes long to make
            name = f"{'1x' if upright else ''}{length}{'' if upright else 'x1'}"
            yield Attack("thin images", name, partial(images.thin_png, length, upright=upright), quick=True)
    for aspect, words in ((limits.aspect * 0.99, "below max_aspect"), (limits.aspect * 1.01, "above")):
        for short in (1, 2, 16, 224, isqrt(int(limits.pixels * 0.98 / aspect))):
            long = int(short * aspect)
            name = f"{long}x{short}, {words}"
            make = partial(images.flat_png, "L", (long, short))
            yield Attack("thin images", name, make, in_all_ways=short in (1, 224), quick=short == 1)
            if long <= 65_535:
                photo = partial(jpeg, short, long, scans=[EMPTY])
                name = f"{short}x{long} JPEG, {words}"
                yield Attack("thin images", name, photo, in_all_ways=short == 224)
    for size in ((65_535, 1), (65_535, 8), (1, 65_535), (65_535, 700)):
        yield Attack("thin images", f"{size[0]}x{size[1]} JPEG", partial(jpeg, *size, scans=[EMPTY]))


def odd_attacks() -> Iterator[Attack]:
    """Small pictures with much around them, and files that are damaged or none."""
    many: dict[str, Callable[[], bytes]] = {
        "a text and a profile of 40 MB": partial(images.png_with_text, 20_000_000),
        "an APNG of 900 frames": partial(images.animated_png, 900),
        "a GIF of 3,000 frames": partial(images.animated_gif, 3_000),
        "65,000 bytes of EXIF": partial(with_exif, 5_400),
        "comments": lambda: jpeg(64, 64, before_frame=b"\xff\xfe\0\2" * 23_000),
        "fill bytes": lambda: jpeg(64, 64, before_frame=b"\xff" * 90_000),
        "tables": lambda: jpeg(64, 64, before_scans=b"\xff\xdd\0\4\0\1" * 15_000),
        "garbage": lambda: random.Random(0).randbytes(90_000),
        "zeros": lambda: bytes(90_000),
        "a JPEG's start": lambda: b"\xff\xd8\xff" + random.Random(1).randbytes(90_000),
        "a PNG's start": lambda: images.flat_png("L", (8, 8))[:8] + random.Random(2).randbytes(90_000),
        "no bytes": bytes,
    }
    for name, make in many.items():
        yield Attack("around the picture", name, make, quick=True)


def with_exif(fields: int) -> bytes:
    """A JPEG whose EXIF has many fields, which lie in the same place."""
    ordinary = images.tiff(b"", {0x9000 + index: (3, [1]) for index in range(fields)})
    return jpeg(64, 64, before_frame=segment(0xE1, b"Exif\0\0" + ordinary))
