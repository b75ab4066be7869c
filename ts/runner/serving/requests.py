"""A client's request as TorchServe's frontend hands it to a worker: an id, parts and headers.

The parts are read where the handler runs, so that a large JSON body does not keep the one process that speaks
HTTP busy.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ts.runner.answering.payload import Request, decode
from ts.runner.serving.forms import Part, form_parts


class Headers(dict[str, Any]):
    """Headers by name, in lower case or as the caller writes it.

    A TorchServe worker sees names as the client wrote them; ASGI servers give them in lower case. So
    `headers.get("X-Own")` finds what is here "x-own".
    """

    def __missing__(self, name: str) -> Any:
        lower = name.lower() if isinstance(name, str) else name
        if lower == name or not super().__contains__(lower):
            raise KeyError(name)
        return self[lower]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and super().__contains__(name.lower()))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def new_id() -> str:
    """An id for a request, which nobody may rely on as a secret: those cost a system call each."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


@dataclass(frozen=True)
class Call:
    """A request to a model.

    Attributes:
        id: Of the request; the client gets it as x-request-id.
        parts: Its body, or the fields of its form.
        headers: Its headers, and what the server says of it: `explain`, `url_path` or `describe`.
    """

    parts: tuple[Part, ...]
    headers: dict[str, str]
    id: str = field(default_factory=new_id)

    def request(self) -> Request:
        """What the handler gets of it."""
        seen = Headers((part.name, {"content-type": part.content_type}) for part in self.parts)
        seen.update(self.headers)
        return Request({part.name: decode(part.content, part.content_type) for part in self.parts}, seen)


def prediction_call(
    headers: Iterable[tuple[bytes, bytes]], body: bytes, *, explain: bool = False, url_path: str = ""
) -> Call:
    """A request to /predictions or /explanations. Parameters of its query are dropped, as TorchServe drops them.

    Args:
        headers: As ASGI has them: names in lower case.
        body: The whole body.
        explain: Whether explanations are asked for.
        url_path: What follows the version in the path.

    Raises:
        InputError: The form has too many fields.
    """
    named = header_texts(headers)
    content_type = named.get("content-type", "")
    parts = form_parts(body, content_type)
    if parts is None:
        parts = (Part("body", content_type.partition(";")[0].strip(), body),)
    if not body:
        named.setdefault("content-length", "0")
    named.update(explain=str(explain), url_path=url_path)
    return Call(parts, named)


def description_call(headers: Iterable[tuple[bytes, bytes]] = ()) -> Call:
    """What `GET /models/NAME?customized=true` asks a handler."""
    return Call((), {**header_texts(headers), "describe": "True"})


def header_texts(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers as texts; of two by the same name the last."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
