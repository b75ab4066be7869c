"""Bodies are read within a bound, and whether a client is still there is known without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ts.runner.serving.body import PAUSING, has_left, read_body
from ts.runner.serving.replies import Refused


class Client:
    """Sends chunks, and then waits or leaves."""

    def __init__(self, *chunks: bytes, leaves: bool = False, whole: bool = True) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        self.messages[-1]["more_body"] = not whole
        self.leaves = leaves
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        if self.messages:
            return self.messages.pop(0)
        if not self.leaves:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}


def read(client: Client, limit: int, headers: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    return asyncio.run(read_body({"headers": headers}, client.receive, limit))


def test_chunks_are_one_body() -> None:
    assert read(Client(b"a"), 3) == b"a"
    assert read(Client(b"a", b"", b"bc"), 3) == b"abc"


@pytest.mark.parametrize(
    "client", [Client(b"abcd"), Client(b"ab", b"cd"), Client(b"abcd", leaves=True, whole=False)]
)
def test_a_body_above_the_limit_is_refused(client: Client) -> None:
    with pytest.raises(Refused, match="too large"):
        read(client, 3)
    assert client.messages == []


def test_what_is_declared_as_too_large_is_not_kept_but_read_so_that_the_client_sees_the_answer() -> None:
    client = Client(b"ab", b"cd")
    with pytest.raises(Refused, match="too large"):
        read(client, 3, [(b"content-length", b"4")])
    assert client.messages == []
    waits = Client(b"ab", b"cd")
    with pytest.raises(Refused, match="too large"):
        read(waits, 3, [(b"content-length", b"4"), (b"expect", b"100-continue")])
    assert waits.asked == 0


@pytest.mark.parametrize(
    "client", [Client(b"a", leaves=True, whole=False), Client(b"a" * PAUSING, leaves=True)]
)
def test_a_client_that_leaves_has_no_body(client: Client) -> None:
    with pytest.raises(Refused, match="client left"):
        read(client, PAUSING)


def test_it_is_known_whether_a_client_has_left() -> None:
    async def known(client: Client) -> tuple[bool, bool]:
        await client.receive()
        return has_left(client.receive), has_left(client.receive)

    assert asyncio.run(known(Client(b"a"))) == (False, False)
    assert asyncio.run(known(Client(b"a", leaves=True))) == (True, True)
