"""The load generator's clients, before servers whose times and answers are known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Callable

import pytest

from benchmarks.load.clients import HOST, closed_loop, make_request, open_loop
from benchmarks.load.loads import Measured, measured

Answer = Callable[[int, bytes], Awaitable[tuple[int, bytes]]]


class Server:
    """Answers the n-th request (from 0) by `answer(n, body)`; a status of 0 closes the connection."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.count = 0
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                number, self.count = self.count, self.count + 1
                status, body = await self._answer(number, await reader.readexactly(length))
                if not status:
                    break
                head_of_answer = (
                    f"HTTP/1.1 {status} X\r\nx-request-id: id-{number}\r\nContent-Length: {len(body)}"
                )
                writer.write(f"{head_of_answer}\r\n\r\n".encode() + body)
        except asyncio.IncompleteReadError:
            pass
        writer.close()


def load(answer: Answer, **how: Any) -> tuple[Measured, Server]:
    """What is measured of such a server."""

    async def run() -> tuple[Measured, Server]:
        server = Server(answer)
        async with await asyncio.start_server(server.handle, HOST, 0) as listener:
            port = listener.sockets[0].getsockname()[1]
            requests = [make_request(port, "/", "text/plain", body, body) for body in (b"first", b"second")]
            found = await (open_loop if "times" in how else closed_loop)(port, requests, **how)
            return measured(found, 0.5), server

    return asyncio.run(run())


async def echo(number: int, body: bytes) -> tuple[int, bytes]:
    return 200, b"3 rows: " + body


def test_clients_ask_one_after_the_other_over_connections_that_stay_open() -> None:
    found, server = load(echo, clients=3, seconds=0.2)
    assert server.connections == 3
    assert len(found.latencies) == server.count >= 3
    assert found.rows == [3] * server.count
    assert found.failed == {}
    assert found.cpu == 0.5


def test_a_trace_has_each_answered_request_by_the_servers_id_and_its_times() -> None:
    async def badly(number: int, body: bytes) -> tuple[int, bytes]:
        return (503, b"busy") if number == 1 else await echo(number, body)

    found, server = load(badly, clients=2, seconds=0.2, trace=True)
    assert {request for request, _, _ in found.traced} == {f"id-{n}" for n in range(server.count) if n != 1}
    assert sorted(end - start for _, start, end in found.traced) == sorted(found.latencies)
    assert load(echo, clients=1, seconds=0.1)[0].traced == []


def test_what_is_answered_late_is_counted_from_when_it_was_due() -> None:
    """Four requests are due at once, and are answered one after the other, 0.1 s each."""
    lock = asyncio.Lock()

    async def slowly(number: int, body: bytes) -> tuple[int, bytes]:
        async with lock:
            await asyncio.sleep(0.1)
        return await echo(number, body)

    found, server = load(slowly, times=[0.0, 0.0, 0.0, 0.0])
    assert server.connections == 4
    for place, latency in enumerate(sorted(found.latencies)):
        assert latency >= 0.1 * (place + 1) - 0.01


def test_a_generator_that_is_late_does_not_hide_it() -> None:
    async def blocked(number: int, body: bytes) -> tuple[int, bytes]:
        if number == 0:
            import time

            time.sleep(0.3)  # the loop that the clients are in, too
        return await echo(number, body)

    found, _ = load(blocked, times=[0.0, 0.05])
    assert found.lag >= 0.2
    assert min(found.latencies) >= 0.2


def test_each_failure_is_counted_by_its_kind_and_nothing_is_lost() -> None:
    kinds = {0: (503, b"busy"), 1: (0, b""), 2: (200, b"another's")}

    async def badly(number: int, body: bytes) -> tuple[int, bytes]:
        return kinds[number] if number in kinds else await echo(number, body)

    found, server = load(badly, clients=1, seconds=0.2)
    assert found.failed == {"503": 1, "no answer": 1, "wrong answer": 1}
    assert len(found.latencies) == server.count - 3
    assert server.connections == 2


def test_arrivals_use_idle_connections_again() -> None:
    found, server = load(echo, times=[0.0, 0.5])
    assert len(found.latencies) == 2
    assert server.connections == 1


@pytest.mark.parametrize("how", [{"clients": 2, "seconds": 0.1}, {"times": [0.0, 0.0]}])
def test_a_request_that_is_never_answered_is_lost(how: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.load.clients.PATIENCE", 1)

    async def never(number: int, body: bytes) -> tuple[int, bytes]:
        await asyncio.sleep(3 if number == 0 else 0)
        return await echo(number, body)

    found, server = load(never, **how)
    assert found.failed == {"no answer": 1}
    assert len(found.latencies) == server.count - 1
