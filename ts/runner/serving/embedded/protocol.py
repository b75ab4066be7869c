"""HTTP/1.1 as uvicorn speaks it, with bounds on what comes beside bodies, and on how slowly a request comes."""

from __future__ import annotations

import asyncio
from typing import Any, Optional, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ts.runner.serving.replies import too_slow

MOST_HEAD = 64 << 10  # bytes of a request beside its body: its line, headers, trailers, and what cuts chunks
FRAMING = 8  # bytes at most by which a byte of a body is cut off as a chunk of its own
PATIENCE = 30  # seconds in which a request must have arrived, and those that each so many bytes of it add
LEAST_RATE = 1000  # bytes a second


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when a head does not end, or a request comes too slowly.

    Each response is sent in one piece, see `JoinedWrites`.
    """

    _head = 0  # bytes of the request at hand that were no body
    _arrived = 0  # bytes of the request at hand
    _began: Optional[float] = None  # when it began to arrive; None while it is answered, and between requests
    _timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, JoinedWrites(transport, self.loop)))
        self._began = self.loop.time()
        self._timer = self.loop.call_later(PATIENCE, self._check_pace)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        self._arrived += len(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(f"A request may have {MOST_HEAD} bytes beside its body.")

    def on_message_begin(self) -> None:
        self._head = self._arrived = 0
        self._began = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head = max(0, self._head - FRAMING * len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._began = None
        super().on_message_complete()

    def _check_pace(self) -> None:
        now = self.loop.time()
        if self._began is not None and (self.flow.read_paused or self._is_answering()):
            self._began = now  # the client waits for the server
        left = PATIENCE if self._began is None else time_left(now - self._began, self._arrived)
        if left > 0:
            self._timer = self.loop.call_later(left, self._check_pace)
        elif not self.transport.is_closing():
            if self._arrived:  # else it is a connection that nobody uses
                self.transport.write(too_slow_response(self._arrived))
            self.transport.close()

    def _is_answering(self) -> bool:
        """Whether a request is answered that has arrived; what arrives then is the next one."""
        return self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)


def time_left(seconds: float, size: int) -> float:
    """The seconds in which the rest of a request must come, of which so many bytes took so many seconds."""
    return PATIENCE + size / LEAST_RATE - seconds


def too_slow_response(size: int) -> bytes:
    reply = too_slow(size)
    head = (
        f"HTTP/1.1 {reply.status} Request Timeout\r\nconnection: close\r\ncontent-type: {reply.content_type}\r\n"
        f"content-length: {len(reply.body)}\r\n\r\n"
    )
    return head.encode() + reply.body


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
        written, self._written = self._written, []
        if written and not self._transport.is_closing():  # uvloop's raises an error of one that is closed
            self._transport.writelines(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
