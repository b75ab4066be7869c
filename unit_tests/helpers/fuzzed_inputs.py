"""What the fuzzing suite draws: images and archives that are mutated, JSON, options, headers and texts."""

from __future__ import annotations

import base64
import io
import random
import struct
from functools import cache
from typing import Any, Callable

from fuzzing import Request
from hypothesis import strategies as st
from PIL import Image, features

from benchmarks.strangers import images
from benchmarks.strangers.jpegs import ARITHMETIC, EMPTY, PROGRESSIVE, Scan, jpeg
from benchmarks.strangers.texts import SURROGATES, TEXTS, hostile_text

Draw = Callable[[st.SearchStrategy], Any]

NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)  # that headers are set to
FORMS = (">B", ">H", "<H", ">I", "<I")  # of such a number
MOST_BYTES = 20_000


# Files that are mutated ----------------------------------------------------------------------------------------


@st.composite
def mutated(draw: Draw, files: tuple[bytes, ...]) -> bytes:
    """One of some valid files, in which bytes are flipped, cut, repeated, or those of another file."""
    content = draw(st.sampled_from(files))
    for _ in range(draw(st.integers(0, 4))):
        content = draw(st.sampled_from(MUTATIONS))(draw, content, files)
    return content[:MOST_BYTES]


def place(draw: Draw, content: bytes) -> int:
    """A position: half of them among the first bytes, where headers are."""
    return draw(st.one_of(st.integers(0, min(len(content), 64)), st.integers(0, len(content))))


def flip(draw: Draw, content: bytes, _: Any) -> bytes:
    at = place(draw, content)
    return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]


def number(draw: Draw, content: bytes, _: Any) -> bytes:
    at, form = place(draw, content), draw(st.sampled_from(FORMS))
    value = draw(st.sampled_from(NUMBERS)) & (256 ** struct.calcsize(form) - 1)
    packed = struct.pack(form, value)
    return content[:at] + packed + content[at + len(packed) :]


def truncate(draw: Draw, content: bytes, _: Any) -> bytes:
    return content[: place(draw, content)]


def repeat(draw: Draw, content: bytes, _: Any) -> bytes:
    start, length, times = place(draw, content), draw(st.integers(1, 64)), draw(st.integers(2, 50))
    return content[:start] + content[start : start + length] * times + content[start + length :]


def leave_out(draw: Draw, content: bytes, _: Any) -> bytes:
    start = place(draw, content)
    return content[:start] + content[start + draw(st.integers(1, 64)) :]


def splice(draw: Draw, content: bytes, files: tuple[bytes, ...]) -> bytes:
    other = draw(st.sampled_from(files))
    return content[: place(draw, content)] + other[place(draw, other) :]


MUTATIONS = (flip, number, truncate, repeat, leave_out, splice)


@cache
def image_files() -> tuple[bytes, ...]:
    """Small images of every format and mode."""
    noise = Image.frombytes("RGB", (24, 18), random.Random(0).randbytes(24 * 18 * 3))
    files = [
        jpeg(24, 18),
        jpeg(24, 18, frame=PROGRESSIVE, scans=[Scan(last=0)] * 3),
        images.decoy_jpeg((24, 18)),
    ]
    files += [jpeg(24, 18, components=4, scans=[EMPTY]), jpeg(24, 18, frame=ARITHMETIC, scans=[EMPTY])]
    files += [saved(noise.convert(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")]
    files += [images.flat_png("L", (24, 18), 16), images.flat_tiff("F", (24, 18), bits=32)]
    files += [images.flat_png("RGB", (24, 18), 8, interlaced=True), images.flat_png("RGBA", (24, 18), 16)]
    files += [images.animated_png(3), images.animated_gif(3), images.eps(), images.plain_ppm((24, 18))]
    files += [images.png_with_text(1000), images.flat_bmp((24, 18)), images.bmp_of_ends((24, 18), 5)]
    files += [images.flat_tiff(mode, (24, 18), "deflate") for mode in ("L", "RGB", "RGBA", "CMYK")]
    files += [saved(noise.convert("CMYK"), "JPEG"), saved(noise, "JPEG", progressive=True, exif=exif())]
    kinds = ["GIF", "TIFF", "BMP", "PPM", "ICO", "TGA", "PCX", "SGI", "DDS"]
    kinds += [name.upper() for name in ("webp", "avif") if features.check(name)]
    kinds += ["JPEG2000"] if features.check("jpg_2000") else []
    return tuple(files + [saved(noise, kind) for kind in kinds])


def exif() -> bytes:
    orientation = Image.Exif()
    orientation[0x0112] = 6
    return orientation.tobytes()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mutated_images() -> st.SearchStrategy[bytes]:
    return mutated(image_files())


# JSON, texts, rows ---------------------------------------------------------------------------------------------


def json_values(deepest: int = 2000) -> st.SearchStrategy[Any]:
    """What `json.loads` can give, NaN and infinity included, nested as deep as that or deeper."""
    single = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-1000, 1000),
        st.sampled_from([10**30, -(10**400), 2**63, 2**64]),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["\ud800", "data:,", "data:image/png;base64,AAAA", "AAAA" * 10, "[[1]]"]),
    )
    keys = st.one_of(
        st.sampled_from(["data", "body", "b64", "instances", "inputs", "topk"]), st.text(max_size=8)
    )
    nested = st.recursive(
        single,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3),
        max_leaves=12,
    )
    return st.one_of(nested, number_lists(), st.integers(1, deepest).map(deep))


def deep(depth: int) -> Any:
    value: Any = 0.5
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def number_lists(draw: Draw) -> Any:
    """Nested lists of any shape, in which a number may be none."""
    value: Any = draw(
        st.sampled_from([0, 1, 0.5, float("nan"), float("inf"), 1e39, 10**400, "a", None, True])
    )
    for length in draw(st.lists(st.integers(0, 4), min_size=1, max_size=5)):
        value = [value] * length
    return value


def texts() -> st.SearchStrategy[Any]:
    """str and bytes of any alphabet, some of them long."""
    hostile = st.builds(hostile_text, st.sampled_from((*TEXTS, *SURROGATES)), st.integers(1, 4000))
    plain = st.one_of(st.text(max_size=200), hostile)
    return st.one_of(
        plain, plain.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=50)
    )


def as_payloads(content: bytes) -> st.SearchStrategy[Any]:
    """Bytes as they come: in a body, as base64, as a URI."""
    encoded = base64.b64encode(content)
    text = encoded.decode()
    return st.sampled_from(
        [content, bytearray(content), encoded, text, {"b64": text}, f"data:image/png;base64,{text}"]
    )


@st.composite
def requests(draw: Draw, options: list[str], payloads: st.SearchStrategy[Any]) -> Request:
    """A request with a payload, wherever it may stand, and perhaps with options."""
    payload = draw(payloads)
    row: Any = draw(st.sampled_from(rows_of(payload)))
    headers = {"explain": draw(st.sampled_from(["False", "False", "True"]))}
    for name, value in draw(st.lists(st.tuples(option_names(options), option_values()), max_size=3)):
        inner = row.get("body")
        where = draw(st.sampled_from(["form", "body", "parameters", "header"]))
        if where == "header":
            headers["ts-" + name] = value if isinstance(value, str) else "[" * 40  # text is what they hold
        elif where == "form" or not isinstance(inner, dict):
            row[name] = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        elif where == "body":
            inner[name] = value
        else:
            inner["parameters"] = {name: value}
    return Request(row, headers)


def rows_of(payload: Any) -> list[Any]:
    return [
        {"data": payload},
        {"body": payload},
        {"body": {"data": payload}},
        {"body": {"body": {"data": payload}}},
        {"data": payload, "body": payload},
        {"data": None, "body": payload},
        {"other": payload},
        {},
    ]


def option_names(options: list[str]) -> st.SearchStrategy[str]:
    near = [change for name in options for change in (name + "s", name.upper(), name[:-1])]
    known = st.sampled_from([*options, *near, "target", "parameters"])
    return st.one_of(known, known, st.text(max_size=30), st.sampled_from(["n" * 3000, "topk" * 500]))


def option_values() -> st.SearchStrategy[Any]:
    words = [
        "json",
        "png",
        "rle",
        "overlay",
        "coco",
        "heatmap",
        "original",
        "model",
        "1",
        "0",
        "-1",
        "1e9",
        "nan",
    ]
    long = ["9" * 30, "9" * 5000, "x" * 5000, "a," * 1000, "[" * 3000, '["a", 1]', "inf", " 2 ", "é\r\n"]
    return st.one_of(st.sampled_from(words), st.sampled_from(long), st.text(max_size=20), json_values())
