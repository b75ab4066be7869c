"""What the process that speaks HTTP does for clients that leave, and without uvloop."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.serving.embedded import server as module
from ts.runner.serving.embedded.server import EmbeddedServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

Archive = Callable[..., Path]
# Notes each request, and waits for a file if it is told to.
NOTES = """
import os, time

def handle(data, context):
    for row in data or ():
        said = bytes(row["body"])
        with open(NOTES, "a") as file:
            file.write(f"{said[:1].decode()}{len(said)} ")
        while said == b"wait" and not os.path.exists(NOTES + "go on"):
            time.sleep(0.01)
    return ["ok"] * len(data or ())
"""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def until(condition: Callable[[], Any]) -> None:
    """Waits for what is bound to come; a minute at most."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("size", [3, 300_000])
@pytest.mark.parametrize("loops", [None, asyncio])
def test_a_request_whose_client_leaves_while_it_waits_does_not_reach_the_handler(
    archive: Archive,
    tmp_path: Path,
    threads: ThreadPoolExecutor,
    send: Any,
    monkeypatch: pytest.MonkeyPatch,
    loops: Any,
    size: int,
) -> None:
    notes = tmp_path / "notes"
    if loops:
        monkeypatch.setattr(module, "loops", loops)
    path = archive("notes", f"NOTES = {str(notes)!r}\n{NOTES}")
    with EmbeddedServer([path], device="cpu") as server:
        url = f"{server.url}/predictions/notes"

        def pending() -> int:
            facts = send(f"{server.url}/models/notes", method="GET").json()[0]
            return facts["jobQueueStatus"]["pendingRequests"]

        busy = threads.submit(send, url, "wait")
        until(notes.exists)
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as leaving:
            head = f"POST /predictions/notes HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
            leaving.sendall(head.encode() + b"g" * size)
            until(lambda: pending() == 1)
        stays = threads.submit(send, url, "stays")
        until(lambda: pending() == 2)
        (tmp_path / "notesgo on").touch()
        assert (busy.result().text, stays.result().text) == ("ok", "ok")
        assert notes.read_text() == "w4 s5 "
        metrics = send(f"{server.url}/metrics", method="GET").text
        assert 'torch_model_refused_total{reason="client left"} 1.0' in metrics
