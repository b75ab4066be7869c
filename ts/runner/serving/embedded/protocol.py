"""HTTP/1.1 as uvicorn speaks it, with a bound on what comes beside bodies, for which uvicorn has none."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 << 10  # bytes of a request beside its body: its line, headers, trailers, and what cuts chunks
FRAMING = 8  # bytes at most by which a byte of a body is cut off as a chunk of its own


class BoundedProtocol(HttpToolsProtocol):
    """A connection that is closed when a head does not end."""

    _head = 0  # bytes of the request at hand that were no body

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
