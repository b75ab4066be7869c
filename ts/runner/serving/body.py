"""Bodies of requests, read with a bound before they are kept."""

from __future__ import annotations

from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from ts.runner.serving.replies import too_large


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        ClientDisconnect: The client left before its end.
        Refused: It has more than `limit` bytes.
    """
    receive, headers = request.receive, dict(request.scope["headers"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        if b"expect" not in headers:  # else the client sends nothing before it is told to
            await discard(receive, limit)
        raise too_large(limit, int(declared[:20]))
    body, more = await next_chunk(receive)
    size, chunks = len(body), [body]
    while more and size <= limit:
        chunk, more = await next_chunk(receive)
        size += len(chunk)
        chunks.append(chunk)
    if size > limit:
        if more:
            await discard(receive, limit)
        raise too_large(limit)
    return body if len(chunks) == 1 else b"".join(chunks)


async def next_chunk(receive: Receive) -> tuple[bytes, bool]:
    """Bytes of the body, and whether there are more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


async def discard(receive: Receive, most: int) -> None:
    """Reads on and keeps nothing, since clients that still send do not see an answer; up to a number of bytes."""
    size, more = 0, True
    with suppress(ClientDisconnect):
        while more and size <= most:
            chunk, more = await next_chunk(receive)
            size += len(chunk)
