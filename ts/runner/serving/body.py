"""Bodies of requests, read with a bound before they are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request

from ts.runner.serving.replies import too_large


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        ClientDisconnect: The client left before its end.
        Refused: It has more than `limit` bytes.
    """
    headers = dict(request.scope["headers"])
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
        if b"expect" not in headers:  # else the client sends nothing before it is told to
            await discard(body_chunks(request), limit)
        raise too_large(limit, int(declared[:20]))
    chunks, size = [], 0
    received = body_chunks(request)
    async for chunk in received:
        size += len(chunk)
        if size > limit:
            await discard(received, limit)
            raise too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def body_chunks(request: Request) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def discard(chunks: AsyncIterator[bytes], most: int) -> None:
    """Reads on and keeps nothing, since clients that still send do not see an answer; up to a number of bytes."""
    size = 0
    with suppress(ClientDisconnect):
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                return
