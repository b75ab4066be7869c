"""What the clients ask: photos and texts of many sizes and formats, with all options, and requests at fault."""

from __future__ import annotations

import base64
import io
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.inputs import Inputs

LARGEST_BODY = 4_000_000  # bytes, of the server's configuration
PHOTO_SIZES = ((60, 40), (320, 240), (500, 375), (1280, 960))
TEXTS = 12
BAD_SHARE = 0.1
BOUNDARY = "soak-boundary"
JSON = "application/json"

OPTIONS: dict[str, tuple[dict[str, str], ...]] = {
    "classifier": ({}, {"topk": "1"}, {"topk": "20"}),
    "segmenter": (
        {},
        {"format": "png"},
        {"format": "rle", "size": "original"},
        {"format": "overlay"},
        {"format": "png", "size": "original"},
    ),
    "detector": (
        {},
        {"threshold": "0.4"},
        {"format": "coco", "topk": "2"},
        {"format": "overlay", "classes": "cup,bowl"},
    ),
    "news": ({}, {"topk": "2"}),
}
# A value that is not allowed, and a name that there is not.
WRONG_OPTIONS = {
    "classifier": ({"topk": "0"}, {"topkk": "3"}),
    "segmenter": ({"format": "xml"}, {"sizee": "model"}),
    "detector": ({"threshold": "2"}, {"classes": "no such label"}),
    "news": ({"topk": "many"}, {"top_k": "1"}),
}


@dataclass(frozen=True)
class Asked:
    """A request.

    Attributes:
        model: who is asked.
        name: what is asked, in a few words.
        body: of the request.
        headers: of the request.
        status: of its answer.
        may_be_cut: the server may close the connection before it has read all of it.
    """

    model: str
    name: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    status: int = 200
    may_be_cut: bool = False


class Asking:
    """All different requests, in two lists, and endless draws of them.

    Attributes:
        good: those that are answered by 200.
        bad: those that are refused.
        vocabulary: the tokens of the texts.
    """

    def __init__(self, seed: int) -> None:
        inputs = Inputs(seed)
        self.texts = inputs.texts(TEXTS)
        self.vocabulary = inputs.vocabulary(self.texts)
        self.photos = dict(_photos(inputs))
        self.good = [*self._of_photos(), *self._of_texts()]
        self.bad = list(self._bad())

    def draws(self, seed: int) -> Iterator[Asked]:
        """Requests at random, the models alike, one in ten of them bad; the same ones for the same seed."""
        choose = random.Random(seed)
        of_model = {
            (model, bad): [asked for asked in (self.bad if bad else self.good) if asked.model == model]
            for model in OPTIONS
            for bad in (False, True)
        }
        models = list(OPTIONS)
        while True:
            yield choose.choice(of_model[choose.choice(models), choose.random() < BAD_SHARE])

    def _of_photos(self) -> Iterator[Asked]:
        for model in ("classifier", "segmenter", "detector"):
            for turn, (name, photo) in enumerate(self.photos.items()):
                for options in OPTIONS[model]:
                    yield _sent(model, name, photo, options, turn % 3)

    def _of_texts(self) -> Iterator[Asked]:
        for turn, text in enumerate(self.texts):
            for options in OPTIONS["news"]:
                yield _sent("news", f"text {turn}", text.encode(), options, turn % 3)

    def _bad(self) -> Iterator[Asked]:
        photo = next(iter(self.photos.values()))
        for model, wrong in WRONG_OPTIONS.items():
            payload = self.texts[0].encode() if model == "news" else photo
            for options in wrong:
                yield _sent(model, "a wrong option", payload, options, 1, 400)
            yield Asked(model, "JSON without a payload", b'{"size": 1}', {"Content-Type": JSON}, 400)
            yield Asked(model, "an empty body", b"", {}, 400)
            yield Asked(model, "too large a body", bytes(LARGEST_BODY + 1), {}, 413, may_be_cut=True)
            if model == "news":
                yield Asked(model, "a photo", photo, {"Content-Type": "image/jpeg"}, 400)
                continue
            yield Asked(model, "broken JSON", b'{"data": "AAAA", ', {"Content-Type": JSON}, 400)
            yield Asked(model, "a text", self.texts[0].encode(), {"Content-Type": "text/plain"}, 400)
            yield Asked(model, "half a photo", photo[: len(photo) // 2], {}, 400)
            yield Asked(model, "a photo with garbage", _damaged(self.photos["RGBA png"]), {}, 400)
            yield Asked(model, "too large a photo", empty_png(40_000, 40_000), {}, 413)


# How it is sent ----------------------------------------------------------------------------------------------


def _sent(
    model: str, name: str, payload: bytes, options: Mapping[str, str], turn: int, status: int = 200
) -> Asked:
    """A request as a body with headers, a form, or JSON, in turn."""
    said = " ".join([name, *(f"{key}={value}" for key, value in options.items())])
    if turn == 0 and status == 200:
        headers = {f"ts-{key}": value for key, value in options.items()}
        return Asked(model, f"{said}, raw", payload, headers, status)
    if turn == 1:
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return Asked(model, f"{said}, form", form({"data": payload}, options), kind, status)
    text = payload.decode() if model == "news" else base64.b64encode(payload).decode()
    body = json.dumps({"data": text, **options}).encode()
    return Asked(model, f"{said}, JSON", body, {"Content-Type": JSON}, status)


def form(files: Mapping[str, bytes], fields: Mapping[str, str]) -> bytes:
    """The body of a form, by RFC 7578, whose boundary is `BOUNDARY`."""
    disposition = 'Content-Disposition: form-data; name="{}"'
    parts = [
        f'{disposition.format(name)}; filename="{name}"\r\n\r\n'.encode() + content
        for name, content in files.items()
    ]
    parts += [f"{disposition.format(name)}\r\n\r\n{value}".encode() for name, value in fields.items()]
    delimited = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return delimited + b"--" + BOUNDARY.encode() + b"--\r\n"


# Photos ------------------------------------------------------------------------------------------------------


def _photos(inputs: Inputs) -> Iterator[tuple[str, bytes]]:
    """JPEGs of some sizes, and the last but one of them in the formats and modes that handlers meet."""
    jpegs = [inputs.jpegs(1, *size)[0] for size in PHOTO_SIZES]
    for size, jpeg in zip(PHOTO_SIZES, jpegs):
        yield f"{size[0]}x{size[1]} jpeg", jpeg
    photo = Image.open(io.BytesIO(jpegs[1]))
    photo.load()
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: a quarter to the right
    yield "turned jpeg", encoded(photo, "JPEG", exif=turned)
    yield "progressive jpeg", encoded(photo, "JPEG", progressive=True)
    yield "RGB webp", encoded(photo, "WEBP")
    for mode in ("L", "RGBA", "P"):
        yield f"{mode} png", encoded(photo.convert(mode), "PNG")
    yield "16-bit png", encoded(Image.fromarray(np.asarray(photo.convert("L"), np.uint16) * 257), "PNG")
    yield "P gif", encoded(photo.convert("P"), "GIF")


def encoded(photo: Image.Image, kind: str, **arguments: Any) -> bytes:
    file = io.BytesIO()
    photo.save(file, kind, **arguments)
    return file.getvalue()


def _damaged(png: bytes) -> bytes:
    """A PNG whose compressed pixels do not begin as zlib does (RFC 1950)."""
    start = png.index(b"IDAT") + len(b"IDAT")
    return png[:start] + bytes(8) + png[start + 8 :]


def empty_png(width: int, height: int) -> bytes:
    """A PNG that claims a size, and has no pixels."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = [header, b"IDAT", b"IEND"]
    framed = (
        (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") for chunk in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)
