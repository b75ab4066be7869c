"""Clients that cost little: raw HTTP/1.1 over connections that stay open, without a future or task a request."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional, cast

from httptools import HttpParserError, HttpResponseParser

HOST = "127.0.0.1"
ROWS = re.compile(rb"(\d+) rows")  # in the answer of a handler that tells its batch's size
PATIENCE = 60  # seconds for the last answers
CUT = "no answer"


@dataclass(frozen=True)
class Request:
    """A request's bytes, and what its answer must hold, if that is known."""

    raw: bytes
    token: bytes = b""


def make_request(port: int, path: str, content_type: str, body: bytes, token: bytes = b"") -> Request:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return Request(head.encode() + body, token)


def read_requests(port: int, spec: dict[str, Any]) -> list[Request]:
    """Those that a generator is told of: files with bodies, whose answers must hold their first bytes or not."""
    bodies = [Path(path).read_bytes() for path in spec["bodies"]]
    tokens = [token.encode() for token in spec.get("tokens", [])] or [b""] * len(bodies)
    return [
        make_request(port, spec["path"], spec["content_type"], body, token)
        for body, token in zip(bodies, tokens)
    ]


@dataclass
class Tally:
    """What came back.

    Attributes:
        traced: Each answered request's id by TorchServe, when it was due, and when it was answered, by the clock
            that all processes of a machine share; None where nobody asks for it.
    """

    latencies: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    lag: float = 0.0
    traced: Optional[list[tuple[str, float, float]]] = None

    def note(self, request: Request, due: float, status: int, body: bytes, request_id: str) -> None:
        if status != 200:
            self.failed[str(status) if status else CUT] += 1
        elif request.token not in body:
            self.failed["wrong answer"] += 1
        else:
            now = time.perf_counter()
            self.latencies.append(now - due)
            if self.traced is not None:
                self.traced.append((request_id, due, now))
            if request.token and (found := ROWS.search(body)):
                self.rows.append(int(found[1]))


Done = Callable[["Connection"], None]


class Connection(asyncio.Protocol):
    """Asks one request at a time, and calls `done` after each answer, or when the connection is lost."""

    def __init__(self, tally: Tally, done: Done) -> None:
        self._tally, self._done = tally, done
        self._transport: asyncio.Transport
        if tally.traced is not None:
            self.on_header = self._note_id  # which the parser looks for, and calls for each header
        self._id = ""
        self._parser = HttpResponseParser(self)
        self._body = b""
        self._request: Optional[Request] = None
        self._due = 0.0
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def ask(self, request: Request, due: float) -> None:
        self._request, self._due, self._body = request, due, b""
        self._tally.lag = max(self._tally.lag, time.perf_counter() - due)
        self._transport.write(request.raw)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.close()

    def _note_id(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-request-id":
            self._id = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        self._end(self._parser.get_status_code())

    def connection_lost(self, error: Optional[Exception]) -> None:
        self.is_open = False
        self._end(0)

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def _end(self, status: int) -> None:
        if self._request is not None:
            request, self._request = self._request, None
            self._tally.note(request, self._due, status, self._body, self._id)
            self._done(self)


async def connect(port: int, tally: Tally, done: Done) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(tally, done), HOST, port
    )
    return connection


async def closed_loop(
    port: int, requests: Sequence[Request], clients: int, seconds: float, trace: bool = False
) -> dict[str, Any]:
    """Each client asks the next request as soon as it has its answer, for some seconds."""
    tally, turns = Tally(traced=[] if trace else None), itertools.cycle(requests)
    finished = asyncio.Semaphore(0)
    lost: asyncio.Queue[None] = asyncio.Queue()

    def done(connection: Connection) -> None:
        now = time.perf_counter()
        if now >= end:
            finished.release()
        elif connection.is_open:
            connection.ask(next(turns), now)
        else:
            lost.put_nowait(None)

    connections = [await connect(port, tally, done) for _ in range(clients)]
    start = time.perf_counter()
    end = start + seconds
    replacing = asyncio.create_task(replace(port, tally, done, lost, connections))
    for connection in connections:
        connection.ask(next(turns), time.perf_counter())
    await all_of(finished, clients, seconds)
    took = time.perf_counter() - start
    replacing.cancel()
    return result(tally, took, connections)


async def replace(
    port: int, tally: Tally, done: Done, lost: asyncio.Queue[None], connections: list[Connection]
) -> None:
    """Opens another connection for each one that is lost."""
    while True:
        await lost.get()
        try:
            connections.append(await connect(port, tally, done))
        except OSError:
            tally.failed["no connection"] += 1
            await asyncio.sleep(0.1)
            lost.put_nowait(None)
        else:
            done(connections[-1])


async def open_loop(port: int, requests: Sequence[Request], times: Iterable[float]) -> dict[str, Any]:
    """Each request is sent when it is due, over a connection of its own if all others wait for an answer."""
    tally, turns = Tally(), itertools.cycle(requests)
    finished = asyncio.Semaphore(0)
    idle: list[Connection] = []
    connections: list[Connection] = []

    def done(connection: Connection) -> None:
        finished.release()
        if connection.is_open:
            idle.append(connection)

    async def ask(due: float) -> None:
        while idle:
            connection = idle.pop()
            if connection.is_open:
                connection.ask(next(turns), due)
                return
        try:
            connections.append(await connect(port, tally, done))
        except OSError:
            tally.failed["no connection"] += 1
            finished.release()
        else:
            connections[-1].ask(next(turns), due)

    start, asked = time.perf_counter(), []
    for moment in times:
        await asyncio.sleep(max(0.0, start + moment - time.perf_counter()))
        asked.append(asyncio.create_task(ask(start + moment)))
    await all_of(finished, len(asked), 0)
    return result(tally, time.perf_counter() - start, connections)


async def all_of(finished: asyncio.Semaphore, count: int, seconds: float) -> None:
    """Waits until each has finished; what is not answered long after the end is lost, as its connection is."""

    async def wait() -> None:
        for _ in range(count):
            await finished.acquire()

    try:
        await asyncio.wait_for(wait(), seconds + PATIENCE)
    except asyncio.TimeoutError:
        return


def result(tally: Tally, seconds: float, connections: Iterable[Connection]) -> dict[str, Any]:
    for connection in connections:
        connection.connection_lost(None)  # a request that it still waits for is lost
        connection.close()
    return {
        "seconds": seconds,
        "latencies": tally.latencies,
        "rows": tally.rows,
        "failed": dict(tally.failed),
        "lag": tally.lag,
        "traced": tally.traced or [],
    }
