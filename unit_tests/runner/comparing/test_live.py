"""Servers that are asked over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.batch.question import Question
from ts.runner.comparing.live import Live
from ts.runner.errors import InputError, ServerError
from ts.runner.serving.requests import Call, prediction_call

Compare = Callable[..., tuple[int, Any]]
REFUSED = {
    "/predictions/none": (
        404,
        {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: none"},
    ),
    "/predictions/own": (404, {"code": 404, "type": "NotFound", "message": "no such row"}),
    "/predictions/closed": (
        401,
        {"code": 401, "type": "InvalidKeyException", "message": "Token Authorization"},
    ),
}


class Echo(BaseHTTPRequestHandler):
    """Says what it got; of /predictions/other other words."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        call = prediction_call(headers, body)
        parts = [[part.name, part.content_type, part.content.decode()] for part in call.parts]
        seen = {"path": self.path, "parts": parts, "own": self.headers.get("X-Own")}
        status, answer = REFUSED.get(self.path, (200, seen))
        if "text" in self.path:
            answer = body.decode().upper() if "other" in self.path else body.decode()
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def call(name: str = "a.txt", **options: Any) -> Call:
    return Question(**options).call(name, b"hello")


def test_a_body_is_sent_as_a_client_would(url: str) -> None:
    plain, text = Live(url, "cats").answers([call(), call("a.json")])
    assert plain.response == {"path": "/predictions/cats", "parts": [["body", "", "hello"]], "own": None}
    assert text.response["parts"] == [["body", "application/json", "hello"]]


def test_options_are_fields_of_a_form(url: str) -> None:
    (answer,) = Live(url, "cats", headers={"X-Own": "o"}).answers([call(options=(("topk", "2"),))])
    assert answer.response["parts"] == [["data", "application/octet-stream", "hello"], ["topk", "", "2"]]
    assert answer.response["own"] == "o"


@pytest.mark.parametrize(
    ("suffix", "explain", "path"),
    [
        ("", True, "/explanations/cats"),
        ("/", False, "/predictions/cats"),
        ("/predictions/dogs/2.0", False, "/predictions/dogs/2.0"),
        ("/team/predictions/dogs", True, "/team/explanations/dogs"),
        ("/v1/models/dogs:predict?x=1", False, "/v1/models/dogs:predict?x=1"),
        ("/invocations", False, "/invocations"),
    ],
)
def test_what_is_asked(url: str, suffix: str, explain: bool, path: str) -> None:
    (answer,) = Live(url + suffix, "cats", explain=explain).answers([call(explain=explain)])
    assert answer.response["path"] == path


def test_what_cannot_be_asked(url: str) -> None:
    with pytest.raises(InputError, match="as it stands; --explain is for /predictions/NAME"):
        Live(f"{url}/invocations", "cats", explain=True)
    with pytest.raises(
        InputError, match="no such model: 404 Model not found: none; its name there may be another"
    ):
        Live(url, "none").answers([call()])
    with pytest.raises(InputError, match="lets nobody in: 401 Token Authorization"):
        Live(url, "closed").answers([call()])
    (answer,) = Live(url, "own").answers([call()])
    assert answer.status == 404
    with pytest.raises(ServerError, match=r"http://127.0.0.1:1 cannot be reached: "):
        Live("http://user:secret@127.0.0.1:1", "cats").answers([call()])


def test_two_servers(compare: Compare, url: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A")
    (tmp_path / "b.txt").write_text("b")
    old, new = f"{url}/predictions/text", f"{url}/predictions/other_text"
    code, document = compare(tmp_path, "--old", old, "--new", new, "--batch-size", 2)
    found = [(Path(row["input"]).name, row["batch"], row["how"]) for row in document["results"]]
    assert found == [
        ("a.txt", 1, []),
        ("b.txt", 1, ["b → B"]),
        ("a.txt", 2, []),
        ("b.txt", 2, ["b → B"]),
    ]
    assert (code, document["old"], document["counts"]) == (1, old, {"same": 1, "differs": 1})
    assert compare(tmp_path, "--old", old, "--new", old)[0] == 0
