"""What one engine answers to the request set, as a file; run in a process of its own."""

from __future__ import annotations

import json
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import requests

from benchmarks.processes.namespace import bring_loopback_up
from unit_tests.server.engines.request_set import Asked, request_set

MOST_BYTES = 6_553_500  # of a request: TorchServe's default
BATCH = ("str", "dict", "int")  # that the handler of actor3 gets at once
ENGINES = ("torchserve", "embedded", "ray")


@dataclass
class Seen:
    """What must be the same."""

    status: int
    body: bytes
    content_type: Optional[str]
    own_headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Recording:
    """What an engine said: by the names of the requests, in one batch, and of a model."""

    replies: dict[str, Seen]
    batch: list[bytes]
    description: dict[str, Any]


def start(engine: str, archives: list[str]) -> AbstractContextManager[Any]:
    if engine == "torchserve":
        from ts.runner.torchserve.server import TorchServe

        return TorchServe(archives, device="cpu")
    if engine == "ray":
        from ts.runner.serving.ray.server import RayServer

        return RayServer(archives, device="cpu", max_request_size=MOST_BYTES)
    from ts.runner.serving.embedded.server import EmbeddedServer

    return EmbeddedServer(archives, device="cpu", max_request_size=MOST_BYTES)


def record(url: str, management_url: str, photo: bytes) -> Recording:
    with requests.Session() as session:
        session.trust_env = False
        description = session.get(f"{management_url}/models/echo?customized=true", timeout=120).json()[0]
        replies = {name: send(session, url, asked) for name, asked in request_set(photo).items()}
    with ThreadPoolExecutor(len(BATCH)) as threads:
        ask = Asked("/predictions/actor3")
        batch = threads.map(lambda text: requests.post(url + ask.path, text, timeout=120).content, BATCH)
        return Recording(replies, sorted(batch), description)


def send(session: requests.Session, url: str, asked: Asked) -> Seen:
    sys.stderr.write(f"{asked}\n"[:200])  # for whoever looks why one hangs
    response = session.request(
        asked.method, url + asked.path, data=asked.body, headers=dict(asked.headers), timeout=300
    )
    own = {name.lower(): value for name, value in response.headers.items()}
    return Seen(
        response.status_code,
        response.content,
        own.get("content-type"),
        {name: own[name] for name in own if name.startswith(("x-m", "ts-", "ts_"))},
    )


def main(engine: str, folder: str) -> None:
    """Writes the recording `<engine>.pickle`, by what `given.json` in the same folder names."""
    given = json.loads(Path(folder, "given.json").read_text())
    if engine == "ray":
        bring_loopback_up()
    with start(engine, given["archives"]) as server:
        assert not getattr(server, "failures", {}), server.failures
        management_url = getattr(server, "management_url", server.url)
        found = record(server.url, management_url, Path(given["photo"]).read_bytes())
    Path(folder, f"{engine}.pickle").write_bytes(pickle.dumps(found))
