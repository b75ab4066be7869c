"""Asks an ASGI app without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def body_messages(chunks: Sequence[bytes], leaves: bool) -> list[dict[str, Any]]:
    return [
        {"type": "http.request", "body": chunk, "more_body": index + 1 < len(chunks) or leaves}
        for index, chunk in enumerate(chunks)
    ]


def scope_of(method: str, path: str, query: str, headers: Mapping[str, str]) -> dict[str, Any]:
    given = headers.items()
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "http_version": "1.1",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given],
    }


async def ask(
    app: Any,
    method: str,
    path: str,
    *chunks: bytes,
    headers: Optional[Mapping[str, str]] = None,
    query: str = "",
    leaves: bool = False,
    impatient: bool = False,
) -> Response:
    """Sends one request, whose body comes in chunks.

    A client that leaves does so in place of the last of them; one that is impatient after it.
    """
    messages = body_messages(chunks or (b"",), leaves)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not (messages or leaves or impatient):
            await asyncio.Event().wait()
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope_of(method, path, query, headers or {}), receive, send)
    return Response(
        sent[0]["status"],
        {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
        not sent[-1].get("more_body", False),
    )
