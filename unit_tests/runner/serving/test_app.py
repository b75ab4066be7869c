"""TorchServe's inference API: statuses, bodies and types as a live torchserve 0.12 has them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Callable, Optional

import pytest
from asgi import Response, ask

from ts.runner.serving.app import build_app
from ts.runner.serving.metrics import Meter
from ts.runner.serving.registry import Models
from ts.runner.serving.replies import Reply, queue_full
from ts.runner.serving.requests import Call

NOT_ALLOWED = {
    "code": 405,
    "type": "MethodNotAllowedException",
    "message": "Requested method is not allowed, please refer to API document.",
}
NO_PATH = {
    "code": 404,
    "type": "ResourceNotFoundException",
    "message": "Requested resource is not found, please refer to API document.",
}


class Echo:
    """A model that answers with what it is asked."""

    is_healthy = True
    has_failed = False

    def __init__(self, name: str, version: str = "1.0") -> None:
        self.name, self.version, self.archive = name, version, f"{name}.mar"
        self.calls: list[Call] = []
        self.were_awaited: list[bool] = []

    async def answer(self, call: Call, is_awaited: Callable[[], bool]) -> Reply:
        self.calls.append(call)
        self.were_awaited.append(is_awaited())
        text = call.parts[0].content.decode() if call.parts else '{"about": "me"}'
        if text == "full":
            raise queue_full(self.name, 1)
        if text == "bug":
            raise RuntimeError("secret")
        return Reply(int(text) if text.isdigit() else 200, text.encode(), None, {"X-Version": self.version})

    def facts(self) -> dict[str, Any]:
        return {"modelName": self.name, "modelVersion": self.version}


class Server:
    def __init__(self, *models: Echo, max_request_size: int = 100) -> None:
        self.meter = Meter()
        self.app = build_app(Models(models), self.meter, max_request_size=max_request_size)

    def ask(self, method: str, path: str, *chunks: bytes, **more: Any) -> Response:
        return asyncio.run(ask(self.app, method, path, *chunks, **more))


@pytest.fixture
def server() -> Server:
    return Server(Echo("echo"), Echo("echo", "2.0"), Echo("also"))


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("path", "version", "explain", "url_path"),
    [
        ("/predictions/echo", "1.0", "False", ""),
        ("/predictions/echo/2.0", "2.0", "False", ""),
        ("/predictions/echo/2.0/a/b", "2.0", "False", "a/b"),
        ("/explanations/echo", "1.0", "True", ""),
        ("/explanations/echo/2.0", "2.0", "True", ""),
    ],
)
def test_a_request_reaches_its_model(
    method: str, path: str, version: str, explain: str, url_path: str
) -> None:
    echo = Echo("echo", version)
    response = Server(echo).ask(method, path, b"he", b"llo", headers={"X-Own": "1"}, query="topk=3")
    assert (response.status, response.body) == (200, b"hello")
    assert "content-type" not in response.headers
    assert response.headers["x-version"] == version
    call = echo.calls[0]
    assert response.headers["x-request-id"] == call.id
    assert call.headers == {"x-own": "1", "explain": explain, "url_path": url_path}


def test_a_model_has_versions_of_which_the_first_is_the_default(server: Server) -> None:
    assert server.ask("POST", "/predictions/echo", b"x").headers["x-version"] == "1.0"
    assert server.ask("POST", "/predictions/echo/2.0", b"x").headers["x-version"] == "2.0"


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        (
            "POST",
            "/predictions/nope",
            {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: nope"},
        ),
        (
            "POST",
            "/explanations/echo/9.9",
            {
                "code": 404,
                "type": "ModelVersionNotFoundException",
                "message": "Model version: 9.9 does not exist for model: echo",
            },
        ),
        (
            "OPTIONS",
            "/predictions/nope",
            {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: nope"},
        ),
        (
            "GET",
            "/models/nope",
            {"code": 404, "type": "ModelNotFoundException", "message": "Model not found: nope"},
        ),
        ("POST", "/predictions", NO_PATH),
        ("POST", "/predictions/", NO_PATH),
        ("GET", "/nope", NO_PATH),
        ("OPTIONS", "/nope", NO_PATH),
        ("POST", "/", NOT_ALLOWED),
        ("PATCH", "/predictions/echo", NOT_ALLOWED),
        ("GET", "/predictions/echo", NOT_ALLOWED),
        ("DELETE", "/models", NOT_ALLOWED),
    ],
)
def test_what_is_not_there_is_said_as_torchserve_says_it(
    server: Server, method: str, path: str, error: dict[str, Any]
) -> None:
    response = server.ask(method, path)
    assert (response.status, response.headers["content-type"]) == (error["code"], "application/json")
    assert response.body.decode() == json.dumps(error, indent=2) + "\n"


def test_405_says_what_is_allowed(server: Server) -> None:
    allowed = server.ask("PATCH", "/predictions/echo").headers["allow"]
    assert set(allowed.split(", ")) == {"POST", "PUT", "OPTIONS"}


def test_a_refusal_of_the_model_is_its_reply(server: Server) -> None:
    response = server.ask("POST", "/predictions/echo", b"full")
    assert (response.status, response.json["type"]) == (503, "ServiceUnavailableException")
    assert response.headers["retry-after"] == "1"


def test_a_form_of_too_many_fields_is_a_400(server: Server) -> None:
    large = Server(Echo("echo"), max_request_size=100_000)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = large.ask("POST", "/predictions/echo", b"a=1&" * 1001, headers=headers)
    assert (response.status, response.json["type"]) == (400, "BadRequestException")
    assert response.json["message"] == "A form may have 1000 fields: send fewer"


def test_a_fault_of_ours_is_a_500_that_tells_nothing(server: Server) -> None:
    sent: list[Response] = []
    with pytest.raises(RuntimeError, match="secret"):  # for the server's log
        sent.append(server.ask("POST", "/predictions/echo", b"bug"))
    assert 'torch_model_refused_total{reason="internal error"} 1.0' in server.meter.page().decode()


@pytest.mark.parametrize(("healthy", "failed"), [(True, False), (False, False), (False, True)])
def test_ping_says_whether_all_models_are_ready(healthy: bool, failed: bool) -> None:
    other = Echo("other")
    other.is_healthy, other.has_failed = healthy, failed
    response = Server(Echo("echo"), other).ask("GET", "/ping")
    expected = healthy or failed
    assert response.status == (200 if expected else 500)
    assert response.json == {"status": "Healthy" if expected else "Unhealthy"}


def test_a_server_none_of_whose_models_started_is_not_healthy() -> None:
    echo = Echo("echo")
    echo.is_healthy, echo.has_failed = False, True
    assert Server(echo).ask("GET", "/ping").status == 500


def test_models_are_listed_by_name(server: Server) -> None:
    also, echo = ({"modelName": name, "modelUrl": f"{name}.mar"} for name in ("also", "echo"))
    assert server.ask("GET", "/models").json == {"models": [also, echo]}
    assert server.ask("GET", "/models", query="limit=1").json == {"nextPageToken": "1", "models": [also]}
    assert server.ask("GET", "/models", query="limit=1&next_page_token=1").json == {"models": [echo]}
    assert server.ask("GET", "/models", query="limit=x").json == {"models": [also, echo]}


@pytest.mark.parametrize(
    ("path", "versions"),
    [("/models/echo", ["1.0"]), ("/models/echo/2.0", ["2.0"]), ("/models/echo/all", ["1.0", "2.0"])],
)
def test_a_model_is_described_by_version(server: Server, path: str, versions: list[str]) -> None:
    found = [{"modelName": "echo", "modelVersion": version} for version in versions]
    assert server.ask("GET", path).json == found
    customized = [{**facts, "customizedMetadata": {"about": "me"}} for facts in found]
    assert server.ask("GET", path, query="customized=true").json == customized


def test_options_describe_the_api_and_a_model(server: Server) -> None:
    api = server.ask("OPTIONS", "/").json
    assert api["openapi"] == "3.0.1"
    assert "/predictions/{model_name}/{model_version}" in api["paths"]
    model = server.ask("OPTIONS", "/predictions/echo/2.0").json
    assert model["info"] == {"title": "echo", "version": "2.0"}
    assert list(model["paths"]) == ["/predictions/echo", "/explanations/echo"]


def test_answers_are_not_to_be_cached(server: Server) -> None:
    for path in ("/ping", "/nope"):
        headers = server.ask("GET", path).headers
        assert headers["cache-control"] == "no-cache; no-store, must-revalidate, private"
        assert (headers["pragma"], headers["expires"]) == ("no-cache", "Thu, 01 Jan 1970 00:00:00 UTC")
        assert headers["x-request-id"]


# Bodies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunks", "declared", "found"),
    [
        ((b"x" * 101,), None, "more than 100"),
        ((b"x" * 60, b"x" * 41), None, "more than 100"),
        ((b"x",) * 150, None, "more than 100"),
        ((b"x" * 101,), "101", "101"),
        ((b"",), "6000000000", "6000000000"),
        ((b"",), "9" * 5000, "9" * 20),
    ],
)
def test_a_body_that_is_too_large_is_a_413(
    chunks: tuple[bytes, ...], declared: Optional[str], found: str
) -> None:
    echo = Echo("echo")
    headers = {"Content-Length": declared} if declared else {}
    response = Server(echo).ask("POST", "/predictions/echo", *chunks, headers=headers)
    assert response.status == 413
    message = f"The request is too large: {found} bytes, and --max-request-size is 100: send a smaller one"
    assert response.json == {"code": 413, "type": "RequestEntityTooLargeException", "message": message}
    assert response.headers["connection"] == "close"
    assert echo.calls == []


@pytest.mark.parametrize("chunks", [(b"7" * 100,), (b"7" * 50, b"7" * 50)])
def test_a_body_of_just_the_limit_is_answered(chunks: tuple[bytes, ...]) -> None:
    echo = Echo("echo")
    Server(echo).ask("POST", "/predictions/echo", *chunks[:1], b"x" * (100 - len(chunks[0])))
    assert len(echo.calls[0].parts[0].content) == 100


def test_a_model_is_told_whether_a_client_still_waits() -> None:
    echo = Echo("echo")
    server = Server(echo, max_request_size=1_000_000)
    server.ask("POST", "/predictions/echo", b"x")
    server.ask("POST", "/predictions/echo", b"x", impatient=True)
    assert echo.were_awaited == [True, False]
    server.ask("POST", "/predictions/echo", b"x" * 100_000, impatient=True)
    assert len(echo.calls) == 2  # which does not get a large body that nobody waits for
    assert 'torch_model_refused_total{reason="client left"} 1.0' in server.meter.page().decode()


def test_an_answer_in_parts_is_sent_as_it_comes() -> None:
    class Speaks(Echo):
        async def answer(self, call: Call, is_awaited: Callable[[], bool]) -> Reply:
            return Reply(201, b"first ", "text/plain", {"X-Own": "1"}, self.more())

        async def more(self) -> AsyncIterator[bytes]:
            for part in (b"second ", b"third"):
                yield part

    response = Server(Speaks("echo")).ask("POST", "/predictions/echo", b"x")
    assert (response.status, response.body, response.is_whole) == (201, b"first second third", True)
    assert (response.headers["content-type"], response.headers["x-own"]) == ("text/plain", "1")
    assert "content-length" not in response.headers
    assert response.headers["x-request-id"]


def test_an_answer_that_breaks_off_has_no_end() -> None:
    class Stutters(Echo):
        async def answer(self, call: Call, is_awaited: Callable[[], bool]) -> Reply:
            return Reply(200, b"first ", more=self.more())

        async def more(self) -> AsyncIterator[bytes]:
            yield b"second"
            raise ConnectionError

    response = Server(Stutters("echo")).ask("POST", "/predictions/echo", b"x")
    assert (response.status, response.body, response.is_whole) == (200, b"first second", False)


def test_a_client_that_leaves_is_not_answered() -> None:
    echo = Echo("echo")
    server = Server(echo)
    server.ask("POST", "/predictions/echo", b"he", leaves=True)
    assert echo.calls == []
    assert 'torch_model_refused_total{reason="client left"} 1.0' in server.meter.page().decode()


# Metrics -----------------------------------------------------------------------------------------------------


def test_requests_and_refusals_are_counted(server: Server) -> None:
    for body in (b"x", b"y", b"404", b"full"):
        server.ask("POST", "/predictions/echo/2.0", body)
    server.ask("POST", "/predictions/nope", b"x")
    response = server.ask("GET", "/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.body.decode().splitlines()
    assert 'torch_model_requests_total{model="echo",status="200",version="2.0"} 2.0' in lines
    assert 'torch_model_requests_total{model="echo",status="404",version="2.0"} 1.0' in lines
    assert 'torch_model_request_seconds_count{model="echo",version="2.0"} 3.0' in lines
    assert 'torch_model_refused_total{reason="queue full"} 1.0' in lines
    assert 'torch_model_refused_total{reason="model not found"} 1.0' in lines
