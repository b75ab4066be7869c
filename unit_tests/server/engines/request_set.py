"""The requests that every engine gets: what clients send, each option, explanations, and all that is wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Optional, Union

from format_archives import LIVE_FORMATS
from live_handlers import ACTIONS
from urllib3.filepost import encode_multipart_formdata

RAW = b"\xff\xd8 raw"
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
NEWS = "Oil prices rose after OPEC ministers agreed to cut crude production by a million barrels a day."
SLOW = "u2netp"  # a second an answer: it is asked in one way only
PHOTO_MODELS = ("efficientnet_lite0", "yolov3_tiny", "u2netp", "cat_or_not", "image_embedder")
OPTIONS: dict[str, tuple[dict[str, str], ...]] = {
    "efficientnet_lite0": (
        {"topk": "2"},
        {"topk": "0"},
        {"topk": "many"},
        {"tpok": "2"},
        {"threshold": "0.5"},
    ),
    "yolov3_tiny": (
        {"threshold": "0.2", "topk": "1"},
        {"classes": "cup,bowl"},
        {"classes": "unicorn"},
        {"format": "coco"},
        {"format": "overlay"},
        {"format": "gif"},
        {"masks": "true"},
        {"threshold": "2"},
    ),
    "u2netp": (
        {"format": "png"},
        {"format": "png", "size": "original"},
        {"format": "rle"},
        {"format": "overlay"},
        {"size": "huge"},
    ),
    "cat_or_not": ({"topk": "1"},),
    "image_embedder": ({"topk": "1"},),
    "reuters_r8": ({"topk": "2"}, {"topk": "-1"}, {"tpok": "2"}),
}
REFUSALS = ("refused", "teapot", "no status", "no text")  # by exceptions that are meant for clients


@dataclass(frozen=True)
class Asked:
    """One request, as its bytes.

    Attributes:
        path: Of the inference API.
        body: Its bytes; None for none.
        headers: The client's.
        method: The HTTP method.
    """

    path: str
    body: Optional[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


Requests = dict[str, Asked]
Body = tuple[bytes, dict[str, str]]  # and the headers that tell of it


def request_set(photo: bytes) -> Requests:
    """All requests by name; those whose names begin with "echo" are answered with what the handler got."""
    return {
        **dict(echoes()),
        **{
            f"actor: {action}": Asked("/predictions/actor", action.encode())
            for action in (*ACTIONS, "stream")
        },
        **{f"faulty: {fault}": Asked("/predictions/faulty", fault.encode()) for fault in faults()},
        "counting: four parts": Asked("/predictions/counting", b"4", {"X-Own": "h"}),
        **dict(paths()),
        **dict(photo_requests(photo)),
        **dict(text_requests()),
        **{f"{name}: a photo": Asked(f"/predictions/{name}", photo) for name in LIVE_FORMATS},
        **{f"{name}: no photo": Asked(f"/predictions/{name}", RAW) for name in LIVE_FORMATS},
    }


def form(**fields: Union[str, bytes, tuple[str, bytes, str]]) -> Body:
    """A form's body, and its headers."""
    body, content_type = encode_multipart_formdata(fields, boundary="a-boundary")
    return body, {"Content-Type": content_type}


def as_json(value: object) -> Body:
    return json.dumps(value).encode(), JSON


def echoes() -> Iterator[tuple[str, Asked]]:
    bodies: dict[str, Body] = {
        "raw": (RAW, {}),
        "nothing": (b"", {}),
        "JSON": as_json({"a": [1, 2.5, None]}),
        "broken JSON": (b"{bad", JSON),
        "JSON with a charset": (b"[1]", {"Content-Type": "application/json; charset=utf-8"}),
        "text with a charset": ("h\u00e9llo".encode(), {"Content-Type": "text/plain; charset=utf-8"}),
        "text that is none": (RAW, TEXT),
        "a form without a boundary": (RAW, {"Content-Type": "multipart/form-data"}),
        "fields of a page": (
            b"a=1+2&b=&%C3%A9=%C3%A9",
            {"Content-Type": "application/x-www-form-urlencoded"},
        ),
        "a form": form(
            data=("photo.jpg", RAW, "image/jpeg"), text=("a", b"h", "text/plain"), topk="3", empty=""
        ),
        "headers": (RAW, {"X-Own": "1", "ts_request_sequence_id": "s1", "explain": "True"}),
    }
    for path in ("/predictions/echo", "/explanations/echo/1.0", "/predictions/echo/1.0/a/b"):
        for name, (body, headers) in bodies.items():
            yield f"echo {path}: {name}", Asked(path, body, headers)
    yield "echo: a query", Asked("/predictions/echo?topk=9", *bodies["a form"])
    yield "echo: PUT", Asked("/predictions/echo", RAW, method="PUT")


def paths() -> Iterator[tuple[str, Asked]]:
    """What is there, and what is not."""
    for method, path in (
        ("GET", "/ping"),
        ("POST", "/ping"),
        ("PUT", "/predictions/function"),
        ("POST", "/predictions/own"),
        ("POST", "/predictions/nope"),
        ("POST", "/predictions/a%3Cb%26'=%22%C3%A9"),
        ("POST", "/predictions/echo/9.9"),
        ("POST", "/explanations/nope"),
        ("OPTIONS", "/predictions/nope"),
        ("POST", "/predictions"),
        ("POST", "/predictions/"),
        ("GET", "/nope"),
        ("GET", "/"),
        ("POST", "/"),
    ):
        yield f"{method} {path}", Asked(path, method=method)


def faults() -> Iterator[str]:
    """What a handler's hooks raise and return that is no answer; see `faulty.py`."""
    errors = (
        *REFUSALS,
        "value",
        "key",
        "assertion",
        "disk",
        "recursion",
        "stop",
        "unicode",
        "mute",
        "memory",
    )
    for hook in ("preprocess", "inference", "postprocess"):
        yield from (f"{hook} {error}" for error in errors)
    yield from ("nan", "infinity", "set", "deep", "meta", "half a pair", "an error", "none")
    yield from ("status", "phrase", "type", "split", "header")


def photo_requests(photo: bytes) -> Iterator[tuple[str, Asked]]:
    text = base64.b64encode(photo).decode()
    for model in PHOTO_MODELS:
        path = f"/predictions/{model}"
        yield f"{model}: a photo", Asked(path, photo)
        ways = {} if model == SLOW else photo_in_other_ways(photo, text)
        for name, asked in {**ways, **wrong_photos(photo, text)}.items():
            yield f"{model}: {name}", Asked(path, *asked)
        for options in OPTIONS[model]:
            named = ", ".join(f"{key}={value}" for key, value in options.items())
            yield (
                f"{model}: {named} in headers",
                Asked(path, photo, {f"ts-{key}": options[key] for key in options}),
            )
            if model != SLOW:
                yield f"{model}: {named} in a form", Asked(path, *form(data=photo, **options))
                yield f"{model}: {named} in JSON", Asked(path, *as_json({"data": text, **options}))
        yield f"{model}: an explanation of nothing", Asked(f"/explanations/{model}", b"")
    explained = "/explanations/efficientnet_lite0"
    yield (
        "efficientnet_lite0: a heatmap",
        Asked(explained, photo, {"ts-format": "heatmap", "ts-target": "504"}),
    )
    yield "efficientnet_lite0: a wrong target", Asked(explained, photo, {"ts-target": "5000"})
    yield "yolov3_tiny: an explanation", Asked("/explanations/yolov3_tiny", photo)


def photo_in_other_ways(photo: bytes, text: str) -> dict[str, Body]:
    return {
        "a photo with its type": (photo, {"Content-Type": "image/png"}),
        "a photo in a form": form(data=("coffee.png", photo, "image/png")),
        "base64 in JSON": as_json({"data": text}),
        "a data: URI in JSON": as_json({"body": f"data:image/png;base64,{text}"}),
    }


def wrong_photos(photo: bytes, text: str) -> dict[str, Body]:
    return {
        "half a photo": (photo[: len(photo) // 2], {}),
        "no photo": (b"no photo", {}),
        "nothing": (b"", {}),
        "two photos": form(data=photo, body=photo),
        "JSON without a payload": as_json({"photo": text}),
        "broken JSON": (b'{"data": ', JSON),
        "numbers of another shape": as_json({"data": [[1.0, 2.0], [3.0, 4.0]]}),
        "numbers that are none": as_json({"data": [["a"], [None]]}),
    }


def text_requests() -> Iterator[tuple[str, Asked]]:
    bodies: dict[str, Body] = {
        "a text": (NEWS.encode(), TEXT),
        "a text without its type": (NEWS.encode(), {}),
        "a text in JSON": as_json({"data": NEWS}),
        "a text in a form": form(data=NEWS),
        "nothing": (b"", TEXT),
        "no UTF-8": (RAW, {}),
        "a number": as_json({"data": 3}),
        "a text that is too long": (b"a " * 60_000, TEXT),
    }
    for name, asked in bodies.items():
        yield f"reuters_r8: {name}", Asked("/predictions/reuters_r8", *asked)
        yield f"reuters_r8: an explanation of {name}", Asked("/explanations/reuters_r8", *asked)
    for options in OPTIONS["reuters_r8"]:
        named = ", ".join(f"{key}={value}" for key, value in options.items())
        yield f"reuters_r8: {named}", Asked("/predictions/reuters_r8", *as_json({"data": NEWS, **options}))
