"""Answers in parts reach clients part by part."""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from ts.runner.serving.embedded.server import EmbeddedServer
from ts.runner.serving.embedded.streams import Stream, Streams
from ts.runner.serving.replies import Reply

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

Archive = Callable[..., Path]
# Answers in three parts, before the last of which it waits for the file that the request names.
SPEAKS = """
import os, time
from ts.handler_utils.utils import send_intermediate_predict_response

def handle(data, context):
    if data is None:
        return
    gate = bytes(data[0]["body"]).decode()
    context.set_response_status(201, "Made", 0)
    context.set_response_content_type(0, "text/plain")
    context.set_response_header(0, "X-Own", "1")
    for part in ("first ", "second "):
        send_intermediate_predict_response([part], context.request_ids, "", 200, context)
    while not os.path.exists(gate):
        time.sleep(0.01)
    if gate.endswith("die"):
        os._exit(3)
    if gate.endswith("fail"):
        raise ValueError(gate)
    return ["third"]
"""


async def parts_of(stream: Any) -> list[bytes]:
    return [part async for part in stream]


def test_the_parts_of_replies_come_in_order_to_the_last() -> None:
    async def run() -> None:
        begun: dict[int, Reply] = {}
        with Streams(begun.__setitem__) as streams:
            for index, part in ((1, b"a"), (0, b"b"), (1, b"c")):
                streams.add(index, Reply(201, part, "text/plain"))
            streams.add(2, Reply(200, b"g"))
            streams.end([Reply(200, b"d"), Reply(200, b"e"), Reply(503, b"")])
        assert {index: (reply.status, reply.body) for index, reply in begun.items()} == {
            1: (201, b"a"),
            0: (201, b"b"),
            2: (200, b"g"),
        }
        assert await parts_of(begun[1].more) == [b"c", b"e"]
        assert await parts_of(begun[0].more) == [b"d"]
        with pytest.raises(ConnectionError):
            await parts_of(begun[2].more)

    asyncio.run(run())


def test_a_stream_that_breaks_off_is_an_error() -> None:
    async def run() -> None:
        begun: list[Reply] = []

        def breaks_off() -> None:
            with Streams(lambda _, reply: begun.append(reply)) as streams:
                streams.add(0, Reply(200, b"a"))
                streams.add(0, Reply(200, b"b"))
                raise KeyError

        with pytest.raises(KeyError):
            breaks_off()
        stream = begun[0].more
        assert isinstance(stream, Stream)
        parts = stream.__aiter__()
        assert await parts.__anext__() == b"b"
        with pytest.raises(ConnectionError, match="breaks off"):
            await parts.__anext__()

    asyncio.run(run())


@contextmanager
def asked(server: EmbeddedServer, body: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as connection:
        connection.request("POST", "/predictions/speaks", body)
        yield connection.getresponse()


def test_a_client_gets_the_first_part_while_the_handler_is_at_work(archive: Archive, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with (
        EmbeddedServer([archive("speaks", SPEAKS)], device="cpu") as server,
        asked(server, str(gate)) as response,
    ):
        assert response.status == 201
        assert (response.getheader("content-type"), response.getheader("x-own")) == ("text/plain", "1")
        assert response.getheader("transfer-encoding") == "chunked"
        assert response.getheader("x-request-id")
        assert response.read(len("first second ")) == b"first second "
        gate.touch()
        assert response.read() == b"third"


@pytest.mark.parametrize("how", ["die", "fail"])
def test_a_handler_that_fails_breaks_the_answer_off(
    archive: Archive, tmp_path: Path, send: Any, how: str
) -> None:
    gate = tmp_path / how
    with EmbeddedServer([archive("speaks", SPEAKS)], device="cpu") as server:
        with asked(server, str(gate)) as response:
            assert response.read(len("first second ")) == b"first second "
            gate.touch()
            with pytest.raises(http.client.IncompleteRead):
                response.read()
        (tmp_path / "open").touch()
        again: requests.Response = send(f"{server.url}/predictions/speaks", str(tmp_path / "open"))
        assert (again.status_code, again.text) == (201, "first second third")
