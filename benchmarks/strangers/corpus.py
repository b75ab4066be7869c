"""All that strangers ask a handler: which requests, and in which ways."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Callable

from benchmarks.strangers.archives import Archive, Way
from benchmarks.strangers.attacks import Attack, Limits
from benchmarks.strangers.body_attacks import (
    JSON,
    base64_attacks,
    envelope_attacks,
    instances,
    json_attacks,
    number_attacks,
    option_attacks,
)
from benchmarks.strangers.image_attacks import image_attacks, ordinary_photo
from benchmarks.strangers.jpegs import jpeg
from benchmarks.strangers.texts import EMPTY, NOT_UTF_8, SURROGATES, TEXTS, hostile_text

SIZES = (1_000, 10_000, 98_000)  # bytes of a text
QUICK_TEXTS = {"combining marks", "words of one letter", "different letters without spaces", "contractions"}


def corpus(archive: Archive, *, quick: bool = False) -> Iterator[tuple[Attack, Way]]:
    """The requests that a handler is tried with, each with the way of asking."""
    for attack in attacks(archive, Limits.of_settings(handler_class(archive).settings_class)):
        if attack.quick or not quick:
            for way in archive.ways if attack.in_all_ways else archive.ways[:1]:
                yield attack, way


def attacks(archive: Archive, limits: Limits) -> Iterator[Attack]:
    if archive.envelope:
        yield from envelope_attacks(limits)
        return
    if archive.reads == "images":
        yield from image_attacks(limits)
    if archive.reads == "texts":
        yield from text_attacks()
    else:
        yield from number_attacks()
    yield from json_attacks()
    yield from base64_attacks(limits)
    yield from option_attacks(options_of(archive), small_body(archive))


def text_attacks() -> Iterator[Attack]:
    for name in (*TEXTS, *SURROGATES):
        for size in SIZES:
            largest = size == SIZES[-1]
            make = partial(text_bytes, name, size)
            quick = largest and name in QUICK_TEXTS
            yield Attack("texts", f"{name}, {size} bytes", make, in_all_ways=largest, quick=quick)
    for name, content in {**NOT_UTF_8, **{name: text.encode() for name, text in EMPTY.items()}}.items():
        yield Attack("texts", name, partial(bytes, content))
    yield Attack("ordinary texts", "two words", partial(bytes, b"the rain"), in_all_ways=True)


def text_bytes(name: str, size: int) -> bytes:
    return hostile_text(name, size).encode("utf-8", "surrogatepass")


def options_of(archive: Archive) -> dict[str, Any]:
    """The options of the archive's handler, by name."""
    return dict(handler_class(archive).options_class.model_fields)


def handler_class(archive: Archive) -> Any:
    module = importlib.import_module(f"ts.torch_handler.{archive.handler}")
    return getattr(module, "".join(part.capitalize() for part in archive.handler.split("_")))


def ordinary_attack(archive: Archive) -> Attack:
    """What a client of good will asks."""
    if not archive.envelope:
        return Attack("ordinary", "ordinary", ordinary_body(archive))
    values = {"images": {"b64": base64.b64encode(ordinary_photo()).decode()}, "texts": {"data": "the rain"}}
    return Attack("ordinary", "ordinary", partial(instances, values.get(archive.reads, [1.0, 2.0]), 1), JSON)


def ordinary_body(archive: Archive) -> Callable[[], bytes]:
    return ordinary_photo if archive.reads == "images" else small_body(archive)


def small_body(archive: Archive) -> Callable[[], bytes]:
    bodies = {"texts": b"the rain", "numbers": b"[1, 2]", "images": jpeg(64, 64)}
    return partial(bytes, bodies[archive.reads])
