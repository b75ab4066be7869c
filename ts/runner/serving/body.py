"""Bodies of requests, read with a bound before they are kept."""

from __future__ import annotations

from contextlib import suppress

from starlette.types import Receive, Scope

from ts.runner.serving.replies import Refused, client_left, too_large

PAUSING = 64 << 10  # bytes of a body after which servers do not read on before they are asked for more


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        Refused: It has more than `limit` bytes, or the client left before its end.
    """
    headers = dict(scope["headers"])
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
    if size >= PAUSING and has_left(receive):
        raise client_left()
    return body if len(chunks) == 1 else b"".join(chunks)


async def next_chunk(receive: Receive) -> tuple[bytes, bool]:
    """Bytes of the body, and whether there are more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise client_left()
    return message.get("body", b""), message.get("more_body", False)


async def discard(receive: Receive, most: int) -> None:
    """Reads on and keeps nothing, since clients that still send do not see an answer; up to a number of bytes."""
    size, more = 0, True
    with suppress(Refused):
        while more and size <= most:
            chunk, more = await next_chunk(receive)
            size += len(chunk)


def has_left(receive: Receive) -> bool:
    """Whether the client has closed its connection, as far as the server knows, after the end of its body.

    To wait for that would take a task a request.
    """
    message = receive().__await__()
    try:
        next(message)
    except StopIteration as known:
        return known.value["type"] == "http.disconnect"
    message.close()
    return False
