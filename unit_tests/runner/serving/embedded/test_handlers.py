"""The default handlers, served: the answers are those of the same archive in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Union

import pytest
import requests
import torch
from tiny_archives import TINY

from ts.runner import Answer, Model, load_archive
from ts.runner.serving.embedded.server import EmbeddedServer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

Send = Callable[..., requests.Response]
HANDLERS = {
    "base": "base_handler",
    "classifier": "image_classifier",
    "segmenter": "image_segmenter",
    "detector": "object_detector",
    "text": "text_classifier",
}
WRONG: list[Mapping[str, Any]] = [{"body": b"no photo, no numbers"}, {"data": b"\xff\xd8", "topk": "many"}]


def write(folder: Path, name: str) -> Path:
    """An archive, as a folder."""
    tiny = TINY[name]
    tiny.write(folder)
    space: dict[str, Any] = {}
    exec(tiny.model, space)
    torch.save(space.get("Tiny", space.get("Bag"))().state_dict(), folder / "weights.pt")
    model = {
        "modelName": name,
        "modelVersion": "1.0",
        "handler": HANDLERS[name],
        "modelFile": "model.py",
        "serializedFile": "weights.pt",
        "configFile": "model-config.yaml",
    }
    settings = {"handler": {**tiny.settings, "profile": True}, "deviceType": "cpu"}
    (folder / "model-config.yaml").write_text(json.dumps(settings))
    (folder / "MAR-INF").mkdir()
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"runtime": "python", "model": model}))
    return folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("tiny")
    return {name: write(folder / name, name) for name in HANDLERS}


@pytest.fixture(scope="module")
def url(archives: dict[str, Path]) -> Iterator[str]:
    with EmbeddedServer(list(archives.values()), device="cpu") as server:
        assert server.failures == {}
        yield server.url


@pytest.fixture(scope="module")
def models(archives: dict[str, Path]) -> Iterator[dict[str, Model]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(load_archive(path, device="cpu")) for name, path in archives.items()}


def value_of(row: Mapping[str, Any]) -> Union[bytes, str]:
    value = row.get("data", row.get("body"))
    return json.dumps(value).encode() if isinstance(value, list) else value  # type: ignore[return-value]


def asked(send: Send, url: str, row: Mapping[str, Any]) -> requests.Response:
    """Sends a row as the runner's `predict` understands it: a body, or a form beside options."""
    value = value_of(row)
    options = {key: str(item) for key, item in row.items() if key not in ("data", "body")}
    if options:
        kind = "text/plain" if isinstance(value, str) else "application/octet-stream"
        content = value.encode() if isinstance(value, str) else value
        return send(
            url,
            files={"data": ("file", content, kind), **{key: (None, item) for key, item in options.items()}},
        )
    headers = {"Content-Type": "text/plain"} if isinstance(value, str) else {}
    return send(url, value, headers=headers)


def expected(model: Model, row: Mapping[str, Any], explain: bool = False) -> Answer:
    options = {key: str(item) for key, item in row.items() if key not in ("data", "body")}
    return model.predict([value_of(row)], options=options or None, explain=explain)[0]


@pytest.mark.parametrize("name", HANDLERS)
def test_each_request_is_answered_as_in_this_process(
    send: Send, url: str, models: dict[str, Model], name: str
) -> None:
    statuses = []
    for row in [*TINY[name].rows, *WRONG]:
        answer, theirs = expected(models[name], row), asked(send, f"{url}/predictions/{name}", row)
        assert (theirs.status_code, theirs.content) == (answer.status, answer.body)
        assert theirs.headers.get("content-type") == answer.content_type
        statuses.append(theirs.status_code)
    assert set(statuses[: len(TINY[name].rows)]) == {200}
    assert 400 in statuses


def test_a_description_is_the_handlers_own(send: Send, url: str, models: dict[str, Model]) -> None:
    facts = send(f"{url}/models/classifier?customized=true", method="GET").json()[0]
    described = models["classifier"].describe().response
    assert facts["customizedMetadata"]["handler"] == described["handler"]


def test_times_of_hooks_are_measured(send: Send, url: str) -> None:
    asked(send, f"{url}/predictions/classifier", TINY["classifier"].rows[0])
    page = send(f"{url}/metrics", method="GET").text
    for name in ("HandlerTime", "ts_handler_preprocess", "ts_handler_inference", "ts_handler_postprocess"):
        assert f'torch_model_handler_seconds_count{{model="classifier",name="{name}",version="1.0"}}' in page
