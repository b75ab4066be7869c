"""The formats of images that are read, by Pillow's names."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import suppress

from PIL import Image

# What people send. None of them starts a program, as EPS does. HEIF is read where a plugin (pillow-heif) has told
# Pillow of it, AVIF where Pillow was built with it; MPO, several JPEGs in a file, is one of Pillow's JPEGs.
DEFAULT_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "PPM", "HEIF")

# Pillow's modules of formats that it does not import by itself before it has seen that it knows none for a file.
_MODULES = {"TIFF": "TiffImagePlugin", "WEBP": "WebPImagePlugin", "AVIF": "AvifImagePlugin"}


def known_formats(formats: Sequence[str]) -> list[str]:
    """Those of some formats that Pillow reads here, now: plugins may tell it of more at any time.

    To import all of Pillow's modules, as it would for a name that it does not know, takes as long as a photo does.
    """
    Image.preinit()
    for name in formats:
        if name in _MODULES and name not in Image.OPEN:
            with suppress(ImportError):  # an older Pillow has no AVIF
                importlib.import_module(f"PIL.{_MODULES[name]}")
    return [name for name in formats if name in Image.OPEN]


def check_formats(formats: Sequence[str]) -> list[str]:
    """The names of formats as Pillow writes them, in capitals.

    Raises:
        ValueError: Pillow reads no format of a name; the message names those that it does.
    """
    Image.init()
    names = [name.upper() for name in formats]
    unknown = [name for name in names if name not in Image.OPEN and name not in DEFAULT_FORMATS]
    if unknown:
        raise ValueError(f"Pillow reads no {', '.join(unknown)}; it reads {', '.join(sorted(Image.OPEN))}")
    return names


# How files of formats begin: those that are read by default, and others that may be sent.
_MARKS = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (8, b"WEBP", "WEBP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftyphe", "HEIF"),
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"8BPS", "PSD"),
    (0, b"DDS ", "DDS"),
    (0, b"BLP", "BLP"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"\1\xda", "SGI"),
    (4, b"jP  ", "JPEG2000"),
)


def marked_format(data: bytes | bytearray | memoryview) -> str | None:
    """The format that a file is of by its first bytes, as far as it is known here; none of its code is asked."""
    prefix = bytes(data[:16])
    return next((name for start, mark, name in _MARKS if prefix[start:].startswith(mark)), None)
