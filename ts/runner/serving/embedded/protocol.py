"""HTTP/1.1 as uvicorn speaks it, with a bound on what comes beside bodies, and each answer in one piece."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 << 10  # bytes of a request beside its body: its line, headers, trailers, and what cuts chunks
FRAMING = 8  # bytes at most by which a byte of a body is cut off as a chunk of its own


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when a head does not end."""

    _head = 0  # bytes of the request at hand that were no body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"A request may have {MOST_HEAD} bytes beside its body.")

    def on_message_begin(self) -> None:
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head = max(0, self._head - FRAMING * len(body))
        super().on_body(body)


class JoinedWrites:
    """A transport that sends at once what is written in one turn of the event loop.

    Uvicorn writes the head of a response, then its body; each would be a system call and a packet of its own.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            written, self._written = self._written, []
            self._transport.writelines(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
