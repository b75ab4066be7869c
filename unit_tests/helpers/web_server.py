"""Servers of HTTP and HTTPS on 127.0.0.1 that serve bytes from memory, count requests, and can be at fault."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional


@dataclass
class Page:
    """What is served at a path.

    Attributes:
        content: The bytes.
        tag: The ETag, if there is one.
        headers: Further headers, or others in the place of those that are sent.
        status: Of the answer.
        sent: How many of the bytes are sent before the connection ends; None for all.
        faults: How many GETs end so; later ones get all.
        redirect: Where the client is sent to.
        gate: What is waited for when `sent` bytes are sent, before the rest is.
        told: The length that a HEAD tells, where a GET tells none: its body ends with the connection.
    """

    content: bytes = b""
    tag: Optional[str] = None
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    sent: Optional[int] = None
    faults: int = 1000
    redirect: Optional[str] = None
    told: Optional[int] = None
    gate: Optional[threading.Event] = None


class WebServer:
    """A server's pages by their paths, and what it was asked.

    Attributes:
        url: E.g. "http://127.0.0.1:8000".
        pages: May be changed at any time.
        asked: Method and path of each request, in their order; paths have no query.
        headers: Those of the last request.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}

    def count(self, method: str) -> int:
        return sum(asked == method for asked, _ in self.asked)


@contextmanager
def web_server(context: Optional[ssl.SSLContext] = None) -> Iterator[WebServer]:
    """Serves for the time of a `with` block; with TLS, if a context is given, as `localhost`."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    if context:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    server = WebServer(f"{'https://localhost' if context else 'http://127.0.0.1'}:{httpd.server_port}")
    httpd.shown = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.reply(with_body=False)

    def do_GET(self) -> None:
        self.reply(with_body=True)

    def reply(self, with_body: bool) -> None:
        server: WebServer = self.server.shown  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        server.asked.append((self.command, path))
        server.headers = dict(self.headers.items())
        page = server.pages.get(path, Page(status=404))
        self.send_response(302 if page.redirect else page.status)
        headers = {"Content-Length": str(len(page.content)), **page.headers}
        if page.told is not None:
            headers["Content-Length"] = "" if with_body else str(page.told)
        if page.tag:
            headers["ETag"] = page.tag
        if page.redirect:
            headers["Location"] = page.redirect
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.send_body(page)

    def send_body(self, page: Page) -> None:
        if page.sent is None or page.faults <= 0:
            self.wfile.write(page.content)
            return
        page.faults -= 1
        self.wfile.write(page.content[: page.sent])
        if page.gate:
            page.gate.wait(60)
            with suppress(OSError):  # the client may be gone
                self.wfile.write(page.content[page.sent :])
        self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        pass
