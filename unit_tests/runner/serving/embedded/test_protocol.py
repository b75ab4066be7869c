"""What strangers send beside a body is bounded."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable

import pytest

from ts.runner.serving.embedded import protocol
from ts.runner.serving.embedded.protocol import MOST_HEAD, JoinedWrites, time_left
from ts.runner.serving.embedded.server import EmbeddedServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

START = b"POST /predictions/obeys HTTP/1.1\r\nHost: x\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
MORE = b"x" * (4 * MOST_HEAD)


@pytest.fixture
def port(archive: Callable[..., Path]) -> Iterator[int]:
    with EmbeddedServer([archive()], device="cpu") as server:
        yield int(server.url.rpartition(":")[2])


def status(port: int, parts: Sequence[bytes]) -> int:
    """The status of the answer to what is sent, of which there may be more than is read."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            answer = connection.recv(1000)
        except ConnectionError:  # it was closed while we were sending
            return 400
    return int(answer.split()[1])


@pytest.mark.parametrize(
    "parts",
    [
        [START + b"X: ", *[MORE] * 8],
        [b"POST /", *[MORE] * 8],
        [START, *[b"X: y\r\n" * 10_000] * 32],
        [CHUNKED + b"1\r\nx\r\n0\r\nX: ", *[MORE] * 8],
        [CHUNKED + b"1;", *[MORE] * 8],
    ],
    ids=["header", "path", "headers", "trailer", "extension of a chunk"],
)
def test_a_head_that_does_not_end_is_refused(port: int, parts: Sequence[bytes]) -> None:
    assert status(port, parts) == 400


@pytest.mark.parametrize(
    "parts",
    [
        [START + b"X: " + b"x" * 60_000 + b"\r\nContent-Length: 1\r\n\r\nx"],
        [CHUNKED, b"1\r\nx\r\n" * 100_000, b"0\r\n\r\n"],
        [START + b"Content-Length: 1000000\r\n\r\n", b"x" * 1_000_000],
    ],
    ids=["long header", "small chunks", "large body"],
)
def test_any_body_within_the_limit_is_answered(port: int, parts: Sequence[bytes]) -> None:
    assert status(port, parts) == 200


def answers(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(10_000), b""))


@pytest.mark.parametrize(
    "sent",
    [START, START + b"Content-Length: 10\r\n\r\n12345", CHUNKED + b"5\r\n12345\r\n"],
    ids=["head", "body", "chunks"],
)
def test_a_request_that_comes_too_slowly_is_refused(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 0.3)
    head, _, body = answers(port, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n")
    message = f"The request came too slowly: only {len(sent)} bytes of it have arrived in time"
    assert json.loads(body) == {"code": 408, "type": "RequestTimeoutException", "message": message}


def test_so_is_a_second_one_after_the_first_is_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 0.3)
    both = answers(port, START + b"Content-Length: 2\r\n\r\nokPOST")
    assert [part[:3] for part in both.split(b"HTTP/1.1 ")] == [b"", b"200", b"408"]


def test_a_connection_on_which_nothing_comes_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 0.1)
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        assert connection.recv(1000) == b""


def test_a_handler_may_take_longer_than_a_request_may(
    archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 0.1)
    slow = "import time\ndef handle(data, context):\n    time.sleep(0.5)\n    return data and ['ok']\n"
    with EmbeddedServer([archive("obeys", slow)], device="cpu") as server:
        port = int(server.url.rpartition(":")[2])
        assert status(port, [START + b"Content-Length: 1\r\n\r\nx"]) == 200
        assert status(port, [START + b"Content-Length: 1\r\n\r\nx" + START]) == 200


@pytest.mark.parametrize(
    ("seconds", "size", "left"),
    [(0, 0, 30), (10, 5_000, 25), (31, 1_000, 0), (40, 9_000, -1), (100, 10**6, 930)],
)
def test_a_request_may_take_longer_the_more_of_it_has_come(seconds: float, size: int, left: float) -> None:
    assert time_left(seconds, size) == left


class Transport:
    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []
        self.is_open = True

    def writelines(self, parts: list[bytes]) -> None:
        assert self.is_open
        self.sent.append(parts)

    def close(self) -> None:
        self.is_open = False

    def is_closing(self) -> bool:
        return not self.is_open

    def get_extra_info(self, name: str) -> str:
        return name


def test_what_is_written_in_one_turn_is_sent_at_once() -> None:
    async def run() -> None:
        transport = Transport()
        joined = JoinedWrites(transport, asyncio.get_running_loop())
        joined.write(b"head")
        joined.write(b"body")
        assert transport.sent == []
        await asyncio.sleep(0)
        assert transport.sent == [[b"head", b"body"]]
        joined.write(b"more")
        joined.close()
        assert (transport.sent[1:], transport.is_open) == ([[b"more"]], False)
        await asyncio.sleep(0)
        assert len(transport.sent) == 2
        assert joined.get_extra_info("peername") == "peername"
        joined.write(b"to nobody")
        await asyncio.sleep(0)
        assert len(transport.sent) == 2

    asyncio.run(run())
