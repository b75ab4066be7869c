"""What a request is made of, and the limits that requests are made around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Callable

from pydantic import BaseModel

from ts.handler_utils.images.settings import ImageSegmenterSettings

MOST_BYTES = 100_000  # of a request


@dataclass(frozen=True)
class Attack:
    """One request, or the part of it that costs.

    Attributes:
        kind: the row of the table that it is counted in.
        name: what tells it from the others of its kind.
        make: makes its body, which takes time itself.
        content_type: of the body.
        fields: further fields of its form, by name: with any, the body is the field "data".
        headers: of the request.
        in_all_ways: whether a handler is asked about it in all of its ways, not only in the first.
        quick: whether the short form asks about it.
    """

    kind: str
    name: str
    make: Callable[[], bytes]
    content_type: str = ""
    fields: Mapping[str, bytes] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    in_all_ways: bool = False
    quick: bool = False

    @cached_property
    def body(self) -> bytes:
        return self.make()

    def parts(self, options: Mapping[str, str]) -> dict[str, bytes]:
        """The fields of its request with further options; without any field there is only a "body"."""
        fields = {**{name: value.encode() for name, value in options.items()}, **self.fields}
        return {"data" if fields else "body": self.body, **fields}


@dataclass(frozen=True)
class Limits:
    """The defaults of settings that bound the work for an image."""

    pixels: int
    aspect: int
    scans: int
    answer_pixels: int

    @classmethod
    def of_settings(cls, kind: type[BaseModel]) -> Limits:
        """Those that a handler's settings have by default; of a handler for no images, those of its neighbours."""
        names = ("max_pixels", "max_aspect", "max_scans", "max_answer_pixels")
        fields = {**ImageSegmenterSettings.model_fields, **kind.model_fields}
        return cls(*(int(fields[name].default) for name in names))
