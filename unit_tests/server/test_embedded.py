"""The embedded engine beside a live TorchServe, with the same archives and the same requests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from ts.runner import Answer
from ts.runner.serving.embedded.server import EmbeddedServer

RAW = b"\xff\xd8 raw"
FORM = {"data": ("photo.jpg", RAW, "image/jpeg"), "text": ("a", b"h", "text/plain"), "none": ("b", b"")}
FIELDS = {"topk": "3", "empty": "", "\u00e9": "\u00e9"}


@pytest.fixture(scope="session")
def embedded(archives: dict[str, Path]) -> Iterator[str]:
    """The URL of an embedded server with the archives of the live one."""
    with EmbeddedServer(list(archives.values()), device="cpu", max_request_size=100 << 20) as server:
        assert server.failures == {}
        yield server.url


@pytest.fixture
def both(live: Any, embedded: str) -> Any:
    """`both(method, path, **)` sends a request to TorchServe and to the embedded engine."""
    session = requests.Session()
    session.trust_env = False

    def both(method: str, path: str, **request: Any) -> list[requests.Response]:
        return [
            session.request(method, url + path, timeout=120, **request) for url in (live.server.url, embedded)
        ]

    return both


def seen(response: requests.Response) -> tuple[int, bytes, Any, dict[str, str]]:
    """What must be the same: status, body, content type, and the handler's own headers."""
    own = {name: value for name, value in response.headers.items() if name.lower().startswith(("x-m", "ts_"))}
    lower = {name.lower(): value for name, value in own.items()}
    return response.status_code, response.content, response.headers.get("content-type"), lower


@pytest.mark.parametrize(
    "request_",
    [
        {"data": RAW},
        {"data": b""},
        {"json": {"a": [1, 2.5, None]}},
        {"data": b"{bad", "headers": {"Content-Type": "application/json"}},
        {"data": b"[1]", "headers": {"Content-Type": "application/json; charset=utf-8"}},
        {"data": "h\u00e9llo".encode(), "headers": {"Content-Type": "text/plain; charset=utf-8"}},
        {"data": RAW, "headers": {"Content-Type": "text/plain"}},
        {"data": RAW, "headers": {"Content-Type": "multipart/form-data"}},
        {"data": {"a": "1 2", "b": "", "\u00e9": "\u00e9"}},
        {"files": FORM, "data": FIELDS},
        {"files": FORM, "data": FIELDS, "params": {"topk": "9"}},
        {"data": RAW, "headers": {"X-Own": "1", "ts_request_sequence_id": "s1", "explain": "True"}},
    ],
)
@pytest.mark.parametrize("path", ["/predictions/echo", "/explanations/echo/1.0", "/predictions/echo/1.0/a/b"])
def test_a_handler_gets_the_same(both: Any, path: str, request_: dict[str, Any]) -> None:
    theirs, ours = (response.json() for response in both("POST", path, **request_))
    for answer in (theirs, ours):
        lower = {name.lower(): value for name, value in answer["headers"].items()}
        answer["headers"] = {
            name: value for name, value in lower.items() if name not in ("host", "content-type")
        }
    assert ours == theirs


@pytest.mark.parametrize(
    "action",
    [
        "str",
        "json text",
        "empty",
        "bytes",
        "bytearray",
        "dict",
        "list",
        "tuple",
        "int",
        "float",
        "nan",
        "none",
        "numpy",
        "set",
        "status",
        "status without a phrase",
        "type",
        "header",
        "stream",
        "400",
        "513",
        "default",
        "value",
        "memory",
        "too few",
        "not a list",
        "nothing",
        "a tuple",
        "a generator",
    ],
)
def test_a_client_gets_the_same(both: Any, action: str) -> None:
    theirs, ours = both("POST", "/predictions/actor", data=action.encode())
    assert seen(ours) == seen(theirs)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ping"),
        ("POST", "/ping"),
        ("PUT", "/predictions/function"),
        ("POST", "/predictions/nope"),
        ("POST", "/predictions/a%3Cb%26'=%22%C3%A9"),
        ("POST", "/predictions/echo/9.9"),
        ("POST", "/explanations/nope"),
        ("OPTIONS", "/predictions/nope"),
        ("POST", "/predictions"),
        ("POST", "/predictions/"),
        ("GET", "/nope"),
        ("GET", "/"),
        ("POST", "/"),
    ],
)
def test_servers_say_the_same(both: Any, method: str, path: str) -> None:
    theirs, ours = both(method, path)
    assert seen(ours) == seen(theirs)


def test_a_model_is_described_with_the_same_words(live: Any, embedded: str) -> None:
    session = requests.Session()
    session.trust_env = False
    urls = (live.server.management_url, embedded)
    theirs, ours = (session.get(f"{url}/models/echo?customized=true").json()[0] for url in urls)
    for facts in (theirs, ours):
        for name in ("modelUrl", "workers"):
            facts.pop(name)
        facts["customizedMetadata"].pop("headers")
    assert {name: theirs[name] for name in ours} == ours


def test_a_batch_is_answered_alike(both: Any, embedded: str, live: Any) -> None:
    def batch(url: str) -> list[Answer]:
        with ThreadPoolExecutor(3) as threads:
            return sorted(
                threads.map(
                    lambda text: requests.post(f"{url}/predictions/actor3", text, timeout=120).content,
                    (b"str", b"dict", b"int"),
                )
            )

    assert batch(embedded) == batch(live.server.url)
