"""Numbers, JSON bodies, base64, options and headers that are long, deep, many or wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Callable

from benchmarks.strangers import images
from benchmarks.strangers.attacks import MOST_BYTES, Attack, Limits
from benchmarks.strangers.jpegs import EMPTY, jpeg

JSON = "application/json"
ROOM = MOST_BYTES - 2_000
MOST_HEADERS = 8_000  # bytes: TorchServe's frontend reads no more of a request


def number_attacks() -> Iterator[Attack]:
    """Nested lists, sent as JSON with its content type, and without."""
    for name, text in numbers().items():
        for content_type in (JSON, ""):
            sent = "as JSON" if content_type else "as bytes"
            quick = bool(content_type)
            yield Attack("nested lists", f"{name}, {sent}", text.encode, content_type, quick=quick)
            if content_type:
                within = ('{"data": ' + text + "}").encode
                yield Attack("nested lists", f"{name}, as data in JSON", within, content_type)


def numbers() -> dict[str, str]:
    """JSON of numbers, and of what is none, by name."""
    row = "[" + ",".join("0" * (ROOM // 6)) + "]"
    pixels = "[" + ",".join(["[" + ",".join("0" * 112) + "]"] * 112) + "]"
    return {
        "a number": "7",
        "true": "true",
        "null": "null",
        "an empty list": "[]",
        "lists of nothing": "[" + ",".join(["[]"] * (ROOM // 3)) + "]",
        "a long row": "[" + ",".join("1" * (ROOM // 2)) + "]",
        "three long rows": f"[{row},{row},{row}]",
        "an image": f"[{pixels},{pixels},{pixels}]",
        "an image of one channel": "[[[0.5]]]",
        "an image of two channels": "[[[0.5]],[[0.5]]]",
        "an image a pixel wide": "[" + ",".join(["[[0],[0],[0],[0]]"] * 3) + "]",
        "many images": "[" + ",".join(["[[[0]]]"] * (ROOM // 8)) + "]",
        "ragged": "[[0,0],[0]," + "[0]," * (ROOM // 4) + "[0]]",
        "deep": "[" * (ROOM // 2) + "]" * (ROOM // 2),
        "deep and open": "[" * ROOM,
        "900 deep": "[" * 900 + "0" + "]" * 900,
        **no_numbers(),
    }


def no_numbers() -> dict[str, str]:
    """What JSON can hold, and a tensor cannot; and what is no JSON."""
    return {
        "not a number": "[[[NaN]],[[Infinity]],[[-Infinity]]]",
        "infinity in digits": "[[[1e999]],[[1e999]],[[-1e999]]]",
        "a huge integer": "[" + "1" * 401 + "]",
        "a huger integer": "[" + "1" * ROOM + "]",
        "many huge integers": "[" + ",".join(["1" * 4000] * (ROOM // 4001)) + "]",
        "many digits": "[0." + "1" * ROOM + "]",
        "texts": "[" + ",".join(['"a"'] * (ROOM // 4)) + "]",
        "objects": "[" + ",".join(["{}"] * (ROOM // 3)) + "]",
        "no JSON": "[1,2",
        "long and no JSON": '["' + "a" * ROOM,
    }


def json_attacks() -> Iterator[Attack]:
    """Objects with many keys, the same ones, deep ones, and those that are like options."""
    for name, value in objects().items():
        yield Attack("JSON bodies", name, value.encode, JSON, quick=True)


def objects() -> dict[str, str]:
    keys = {f"key{index}": 0 for index in range(ROOM // 17)}
    nearly = {f"topk{index}": 0 for index in range(ROOM // 17)}
    deep = ROOM // 10
    return {
        "many keys": json.dumps(keys),
        "many keys beside data": json.dumps({"data": "the rain", **keys}),
        "keys like options": json.dumps({"data": "the rain", **nearly}),
        "a long key": json.dumps({"k" * ROOM: 0}),
        "a long key like an option": json.dumps({"data": "the rain", "topk" * (ROOM // 4): 0}),
        "long keys": json.dumps({f"{index}" + "topk" * 500: 0 for index in range(ROOM // 2010)}),
        "the same key": "{" + '"data":"a",' * (ROOM // 11) + '"data":"the rain"}',
        "deep bodies": '{"body": ' * deep + '"the rain"' + "}" * deep,
        "900 bodies": '{"body": ' * 900 + '"the rain"' + "}" * 900,
        "many parameters": json.dumps({"data": "the rain", "parameters": keys}),
        "deep parameters": '{"data":"the rain","topk":' + "[" * (ROOM // 2) + "]" * (ROOM // 2) + "}",
        "data and body": json.dumps({"data": "the rain", "body": "the rain"}),
        "escapes": '{"data":"' + "\\u0061" * (ROOM // 6) + '"}',
        "surrogates": '{"data":"' + "\\ud800" * (ROOM // 6) + '"}',
    }


def base64_attacks(limits: Limits) -> Iterator[Attack]:
    """Images as text: in base64 and data: URIs, with much that is neither."""
    photo = base64.b64encode(jpeg(limits.pixels // 7000, 6900, scans=[EMPTY])).decode()
    bodies = {
        "a large image": photo,
        "a large image as a URI": "data:image/jpeg;base64," + photo,
        "escapes in a URI": "data:image/png," + "%89" * (ROOM // 3),
        "escapes in base64": "data:image/png;base64," + "%41" * (ROOM // 3),
        "a URI of commas": "data:" + "," * ROOM,
        "a URI of parameters": "data:" + ";a=b" * (ROOM // 4),
        "letters": "A" * ROOM,
        "letters and lines": "A\n" * (ROOM // 2),
        "spaces": " " * ROOM,
        "spaces in letters": "A" * 20 + " " * ROOM + "!",
        "dashes": "-_" * (ROOM // 2),
        "equals signs": "A" * 40 + "=" * ROOM,
        "no ASCII": "é" * (ROOM // 2),
        "base64 of base64": base64.b64encode(b"A" * (ROOM * 3 // 4)).decode(),
    }
    for name, body in bodies.items():
        yield Attack("base64 and URIs", name, body.encode, quick=True)
        escaped = len(json.dumps(body)) > ROOM + 2  # to several characters each, and so fewer of them fit
        text = json.dumps({"data": body[: ROOM // 6] if escaped else body})
        yield Attack("base64 and URIs", f"{name}, as JSON", text.encode, JSON)


def option_attacks(options: Mapping[str, Any], body: Callable[[], bytes]) -> Iterator[Attack]:
    """Values of each option of a handler, in forms and headers, and names of options that there are not.

    Args:
        options: the handler's own, by name.
        body: makes an ordinary one.
    """
    for option in options:
        for name, value in values().items():
            sent = {option: value.encode()}
            yield Attack("options", f"{option}: {name}", body, fields=sent, quick=name in QUICK)
            header = {f"ts-{option}": value[:MOST_HEADERS]}
            yield Attack("headers", f"{option}: {name}", body, headers=header)
    fields = {f"topk{index}": b"1" for index in range(500)}
    yield Attack("options", "500 nearly topk", body, fields=fields, quick=True)
    yield Attack("options", "a long name", body, fields={"n" * ROOM: b"1"}, quick=True)
    yield Attack("options", "500 unknown", body, fields={f"field{index}": b"1" for index in range(500)})
    yield Attack("options", "a second file", body, fields={"file": bytes(ROOM)}, quick=True)
    headers = {f"ts-name{index}": "1" for index in range(MOST_HEADERS // 14)}
    yield Attack("headers", "many unknown", body, headers=headers, quick=True)
    yield Attack("headers", "a long name", body, headers={"ts-" + "n" * MOST_HEADERS: "1"}, quick=True)


QUICK = {"long digits", "many names", "deep list"}


def values() -> dict[str, str]:
    return {
        "nothing": "",
        "one": "1",
        "a large number": "1000000",
        "30 digits": "9" * 30,
        "long digits": "9" * ROOM,
        "minus": "-1",
        "not a number": "nan",
        "infinity": "inf",
        "a small number": "1e-400",
        "long fraction": "0." + "1" * ROOM,
        "long text": "x" * ROOM,
        "many names": "a," * (ROOM // 2),
        "many other names": ",".join(f"name{index}" for index in range(ROOM // 9)),
        "a list of names": json.dumps(["a"] * (ROOM // 6)),
        "deep list": "[" * ROOM,
        "numbers in a list": json.dumps([10**30] * (ROOM // 34)),
        "line breaks": "a\r\nb",
        "no ASCII": "é" * 1000,
    }


def envelope_attacks(limits: Limits) -> Iterator[Attack]:
    """Many rows in one request, as torchserve's json envelope reads them."""
    photo = base64.b64encode(jpeg(limits.pixels // 7000, 6900, scans=[EMPTY])).decode()
    small = base64.b64encode(images.flat_png("RGB", (8, 8))).decode()
    rows: dict[str, tuple[Any, int]] = {
        "numbers": ([1.0, 2.0], 12),
        "a number": (1, 3),
        "texts": ({"data": "the rain"}, 24),
        "long texts": ({"data": "the rain " * 150}, 1_400),
        "small images": ({"b64": small}, len(small) + 12),
        "large images": ({"b64": photo}, len(photo) + 12),
        "no images": ({"b64": "AAAA"}, 18),
        "nothing": ({}, 4),
        "null": (None, 6),
        "lists of images": ({"data": [[[0.0]]]}, 22),
    }
    for name, (row, size) in rows.items():
        for count in (1, 63, 64, 65, ROOM // size):
            if count * size <= ROOM:
                make = partial(instances, row, count)
                yield Attack(
                    "many rows", f"{count} {name}", make, JSON, in_all_ways=count > 60, quick=count > 60
                )


def instances(row: Any, count: int) -> bytes:
    return json.dumps({"instances": [row] * count}).encode()
