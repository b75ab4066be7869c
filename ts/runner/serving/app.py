"""TorchServe's inference API as an ASGI app, over models that may run anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Mapping
from contextlib import suppress
from typing import Any, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ts.runner.errors import InputError
from ts.runner.serving.body import has_left, read_body
from ts.runner.serving.description import api_description, model_description
from ts.runner.serving.metrics import CONTENT_TYPE, Meter
from ts.runner.serving.registry import Models, Served
from ts.runner.serving.replies import (
    Refused,
    Reply,
    bad_request,
    error_reply,
    json_reply,
    method_not_allowed,
    path_not_found,
)
from ts.runner.serving.requests import Call, description_call, new_id, prediction_call
from ts.runner.serving.settings import MAX_REQUEST_SIZE

ANSWERED = ["POST", "PUT", "OPTIONS"]
NOT_CACHED = [  # as TorchServe has it
    (b"pragma", b"no-cache"),
    (b"cache-control", b"no-cache; no-store, must-revalidate, private"),
    (b"expires", b"Thu, 01 Jan 1970 00:00:00 UTC"),
]


def url_of(host: str, port: int) -> str:
    """Where an app answers that listens on an address, which may be one of IPv6."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_app(models: Models, meter: Meter, *, max_request_size: int = MAX_REQUEST_SIZE) -> Starlette:
    """The app.

    Args:
        models: What requests are sent to.
        meter: Counts them, and is read at /metrics.
        max_request_size: The bytes that a body may have; a larger one is not kept, and gets a 413.
    """
    api = Api(models, meter, max_request_size)
    app = Starlette(
        routes=api.routes(),
        exception_handlers={
            Refused: api.on_refused,
            InputError: api.on_input_error,
            HTTPException: api.on_http_exception,
            Exception: api.on_exception,
        },
    )
    app.router.redirect_slashes = False
    return app


class Api:
    """The endpoints."""

    def __init__(self, models: Models, meter: Meter, max_request_size: int) -> None:
        self._models = models
        self._meter = meter
        self._max_request_size = max_request_size
        self._meters = {model: meter.of(model.name, model.version) for model in models.all()}

    def routes(self) -> list[Route]:
        paths = [
            ("/predictions/{name}", self.predict, ANSWERED),
            ("/predictions/{name}/{version}", self.predict, ANSWERED),
            ("/predictions/{name}/{version}/{url_path:path}", self.predict, ANSWERED),
            ("/explanations/{name}", self.explain, ANSWERED),
            ("/explanations/{name}/{version}", self.explain, ANSWERED),
            ("/ping", self.ping, ["GET", "POST", "PUT", "OPTIONS"]),
            ("/", self.describe_api, ["OPTIONS"]),
            ("/models", self.list_models, ["GET"]),
            ("/models/{name}", self.describe_model, ["GET"]),
            ("/models/{name}/{version}", self.describe_model, ["GET"]),
            ("/metrics", self.metrics, ["GET"]),
        ]
        return [Route(path, Endpoint(answer), methods=methods) for path, answer, methods in paths]

    async def predict(self, request: Request) -> Response:
        return await self._answer(request, explain=False)

    async def explain(self, request: Request) -> Response:
        return await self._answer(request, explain=True)

    async def ping(self, request: Request) -> Response:
        healthy = self._models.are_healthy
        return response_of(
            json_reply(200 if healthy else 500, {"status": "Healthy" if healthy else "Unhealthy"})
        )

    async def describe_api(self, request: Request) -> Response:
        return response_of(json_reply(200, api_description()))

    async def list_models(self, request: Request) -> Response:
        """All models by name, or `limit` of them from `next_page_token` on."""
        models = self._models.defaults()
        start = number(request.query_params, "next_page_token", 0)
        end = start + number(request.query_params, "limit", 100)
        page = [{"modelName": model.name, "modelUrl": model.archive} for model in models[start:end]]
        more = {"nextPageToken": str(end)} if end < len(models) else {}
        return response_of(json_reply(200, {**more, "models": page}))

    async def describe_model(self, request: Request) -> Response:
        name, version = request.path_params["name"], request.path_params.get("version")
        models = self._models.versions(name) if version == "all" else [self._models.find(name, version)]
        facts = [model.facts() for model in models]
        if request.query_params.get("customized") == "true":
            for model, known in zip(models, facts):
                call = description_call(request.scope["headers"])
                reply = await self._ask(model, call, request)
                if reply.status != 200:
                    return response_of(reply)
                known["customizedMetadata"] = without_nulls(json_or_text(reply.body))
        return response_of(json_reply(200, facts))

    async def metrics(self, request: Request) -> Response:
        return response_of(Reply(200, self._meter.page(), CONTENT_TYPE))

    async def _answer(self, request: Request, *, explain: bool) -> Response:
        path = request.path_params
        model = self._models.find(path["name"], path.get("version"))
        if request.method == "OPTIONS":
            return response_of(json_reply(200, model_description(model.name, model.version)))
        body = await read_body(request.scope, request.receive, self._max_request_size)
        url_path = path.get("url_path", "")
        call = prediction_call(request.scope["headers"], body, explain=explain, url_path=url_path)
        return response_of(await self._ask(model, call, request), call.id)

    async def _ask(self, model: Served, call: Call, request: Request) -> Reply:
        started = time.monotonic()
        reply = await model.answer(call, lambda: not has_left(request.receive))
        self._meters[model].answered(reply, time.monotonic() - started)
        return reply

    # What is wrong with a request -------------------------------------------------------------------------------

    async def on_refused(self, request: Request, refused: Any) -> Response:
        self._meter.refused(refused.reason)
        return response_of(refused.reply)

    async def on_input_error(self, request: Request, error: Exception) -> Response:
        return await self.on_refused(request, bad_request(str(error)))

    async def on_http_exception(self, request: Request, error: Any) -> Response:
        """Starlette's own: there is no such path, or it has no such method."""
        if error.status_code == 405:
            return await self.on_refused(request, method_not_allowed(error.headers or {}))
        if error.status_code == 404:
            return await self.on_refused(request, path_not_found())
        return await self.on_refused(request, bad_request(str(error.detail)))

    async def on_exception(self, request: Request, error: Exception) -> Response:
        self._meter.refused("internal error")
        return response_of(error_reply(500, "InternalServerException", "Internal server error."))


class Endpoint:
    """An endpoint as an app: of a function, starlette makes one that looks for exceptions a second time."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)


def response_of(reply: Reply, request_id: str = "") -> Response:
    response = (
        Response(reply.body, reply.status)
        if reply.more is None
        else InParts(in_parts(reply.body, reply.more), reply.status)
    )
    headers = response.raw_headers
    if reply.content_type is not None:
        headers.append((b"content-type", reply.content_type.encode("latin-1")))
    for name, value in reply.headers.items():
        headers.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    headers.append((b"x-request-id", (request_id or new_id()).encode()))
    headers.extend(NOT_CACHED)
    return response


class InParts(StreamingResponse):
    """A response without an end, by which clients know, where the answer has none; see `Reply.more`."""

    async def stream_response(self, send: Send) -> None:
        with suppress(ConnectionError):
            await super().stream_response(send)


async def in_parts(first: bytes, more: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in more:
        yield part


def number(parameters: Mapping[str, str], name: str, default: int) -> int:
    """A parameter of a query; the default in place of what is no number, as TorchServe has it."""
    value = parameters.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else default


def without_nulls(value: Any) -> Any:
    """A description as TorchServe's frontend writes it."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def json_or_text(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
