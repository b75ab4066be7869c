"""What a server says of its API: OpenAPI 3.0 documents for `OPTIONS`."""

from __future__ import annotations

from typing import Any

from ts import HANDLERS_VERSION

ERROR = {
    "type": "object",
    "required": ["code", "type", "message"],
    "properties": {
        "code": {"type": "integer"},
        "type": {"type": "string"},
        "message": {"type": "string"},
    },
}
PATHS = {
    "/": {"options": "This description."},
    "/ping": {"get": "Whether every model is ready: 200, else 500."},
    "/predictions/{model_name}": {"post": "A prediction, by the model's default version."},
    "/predictions/{model_name}/{model_version}": {"post": "A prediction."},
    "/explanations/{model_name}": {"post": "An explanation, by the model's default version."},
    "/explanations/{model_name}/{model_version}": {"post": "An explanation."},
    "/models": {"get": "The models."},
    "/models/{model_name}": {"get": "A model; with customized=true, what its handler says of itself, too."},
    "/models/{model_name}/{model_version}": {"get": "A version of a model; `all` for all of them."},
    "/metrics": {"get": "Metrics in Prometheus' text format."},
}


def api_description() -> dict[str, Any]:
    return document("torch-model-runner", HANDLERS_VERSION, PATHS)


def model_description(name: str, version: str) -> dict[str, Any]:
    paths = {
        f"/{kind}/{name}": {"post": f"{about} by {name}."}
        for kind, about in (("predictions", "A prediction"), ("explanations", "An explanation"))
    }
    return document(name, version, paths)


def document(title: str, version: str, paths: dict[str, dict[str, str]]) -> dict[str, Any]:
    operations = {
        path: {method: operation(path, about) for method, about in methods.items()}
        for path, methods in paths.items()
    }
    return {"openapi": "3.0.1", "info": {"title": title, "version": version}, "paths": operations}


def operation(path: str, about: str) -> dict[str, Any]:
    names = [part.partition("}")[0] for part in path.split("{")[1:]]
    string = {"type": "string"}
    error = {"description": "An error", "content": {"application/json": {"schema": ERROR}}}
    return {
        "description": about,
        "parameters": [{"in": "path", "name": name, "required": True, "schema": string} for name in names],
        "responses": {"200": {"description": "OK"}, "default": error},
    }
