"""A trivial responder, beside which the load generator shows the most that it can send.

Started as `python -m benchmarks.load.responder`; writes its port, and answers until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from benchmarks.load.clients import HOST
from benchmarks.load.generator import new_loop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 108\r\n\r\n" + b"8 rows: ".ljust(108, b"0")


class Responder(asyncio.Protocol):
    """Answers whatever comes; small requests come whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(ANSWER)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Responder, HOST, 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    new_loop().run_until_complete(serve())
