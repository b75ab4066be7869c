"""Workflows of two nodes in a live TorchServe: an image_classifier, and a handler that takes its answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Union

import pytest
import requests
from PIL import Image

from ts.runner.torchserve.server import TorchServe

MODEL = """
import torch

class Colours(torch.nn.Module):
    def forward(self, images):
        return images.mean((2, 3))
"""
FIRST = {
    "colours.py": MODEL,
    "index_to_name.json": '{"0": "red", "1": "green", "2": "blue"}',
    "settings.yaml": "handler: {resize: 8, crop: 8, topk: 1}\n",
}
SECOND = """
import json
from pathlib import Path
from ts.torch_handler.base_handler import BaseHandler

class Second(BaseHandler):
    def initialize(self, context):
        self.tries = Path(context.system_properties["model_dir"], "tries")
        self.asked = 0

    def preprocess(self, data):
        self.asked += len(data)
        return [json.loads(bytes(row["body"])) for row in data]

    def inference(self, data):
        if any("green" in labels for labels in data):
            with self.tries.open("a") as tries:
                tries.write("x")
            if self.tries.stat().st_size < 3:
                raise RuntimeError("green takes three tries")
        return data

    def postprocess(self, data):
        return [{"labels": list(labels), "asked": self.asked} for labels in data]
"""

# The first node waits until two requests are there, and tries them once. The second one tries what fails again. It
# waits a little, too: torchserve's frontend loses an answer now and then that comes within a millisecond or two.
SPECIFICATION = """
models:
  batch-size: 2
  timeout-ms: 60000
  first: {url: first.mar, max-batch-delay: 60000, retry-attempts: 0}
  second: {url: second.mar, max-batch-delay: 100, retry-attempts: 2}
dag:
  first: [second]
"""
PLAIN = {"marName": "first.mar", "minWorkers": 1, "maxWorkers": 1, "batchSize": 2, "maxBatchDelay": 60000}


def write_zip(path: Path, manifest_path: str, manifest: dict[str, Any], files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        contents = {**files, manifest_path: json.dumps({"createdOn": "1/1/2025 00:00:00", **manifest})}
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def write_model(folder: Path, name: str, handler: str, files: dict[str, str], **model: str) -> Path:
    section = {"modelName": name, "handler": handler, "modelVersion": "1.0", **model}
    manifest = {"runtime": "python", "model": section, "archiverVersion": "0.12.0"}
    return write_zip(folder / f"{name}.mar", "MAR-INF/MANIFEST.json", manifest, files)


def write_workflow(folder: Path, name: str) -> Path:
    section = {"workflowName": name, "specFile": "workflow.yaml", "handler": "functions.py"}
    files = {"workflow.yaml": SPECIFICATION, "functions.py": ""}
    manifest = {"workflow": section, "archiverVersion": "0.2.15"}
    return write_zip(folder / f"{name}.war", "WAR-INF/MANIFEST.json", manifest, files)


class Client:
    """Sends requests to a live server."""

    def __init__(self, server: TorchServe) -> None:
        self.server = server

    def register(self, workflow: str) -> None:
        response = self._post(f"{self.server.management_url}/workflows?url={workflow}")
        assert response.status_code == 200, response.text

    def ask(self, path: str, body: bytes) -> tuple[int, Any]:
        response = self._post(f"{self.server.url}/{path}", body)
        return response.status_code, response.json()

    def together(self, *requests: tuple[str, bytes]) -> list[tuple[int, Any]]:
        """The answers to requests that are sent at the same time: each a path and a body."""
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(lambda request: self.ask(*request), requests))

    def _post(self, url: str, body: Union[bytes, None] = None) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between this machine and itself
            return session.post(url, data=body, timeout=120)


@pytest.fixture(scope="module")
def client(needs_torchserve: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Of a server with the workflow `flow`, and with its first node as a plain model too, in batches of 2."""
    store = tmp_path_factory.mktemp("store")
    names = {"modelFile": "colours.py", "configFile": "settings.yaml"}
    first = write_model(store, "first", "image_classifier", FIRST, **names)
    write_model(store, "second", "second.py", {"second.py": SECOND})
    write_workflow(store, "flow")
    stores = {"model_store": str(store), "workflow_store": str(store), "load_models": first.name}
    models = json.dumps({"first": {"1.0": PLAIN}})
    with TorchServe([first], device="cpu", config={**stores, "models": models}) as server:
        client = Client(server)
        client.register("flow.war")
        yield client


def photo(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
    return buffer.getvalue()


RED, GREEN, BLUE, DAMAGED = photo("red"), photo("lime"), photo("blue"), photo("red")[:40]
STOPPED = {"code": 500, "type": "InternalServerException", "message": "Error executing first"}


def test_good_requests_pass_both_nodes(client: Client) -> None:
    answers = client.together(("wfpredict/flow", RED), ("wfpredict/flow", BLUE))
    assert [(status, answer["labels"]) for status, answer in answers] == [(200, ["red"]), (200, ["blue"])]


def test_a_request_that_fails_in_a_node_goes_no_further_and_the_other_of_its_batch_does(
    client: Client,
) -> None:
    (_, before), _ = client.together(("wfpredict/flow", RED), ("wfpredict/flow", DAMAGED))
    (status, after), failed = client.together(("wfpredict/flow", BLUE), ("wfpredict/flow", DAMAGED))
    assert failed == (500, STOPPED)
    assert (status, after["labels"]) == (200, ["blue"])
    assert after["asked"] == before["asked"] + 1


def test_a_batch_of_failures_fails(client: Client) -> None:
    answers = client.together(("wfpredict/flow", DAMAGED), ("wfpredict/flow", DAMAGED))
    assert answers == [(500, STOPPED), (500, STOPPED)]


def test_a_node_that_fails_at_first_is_asked_again(client: Client) -> None:
    (status, answer), _ = client.together(("wfpredict/flow", GREEN), ("wfpredict/flow", DAMAGED))
    assert (status, answer["labels"]) == (200, ["green"])


def test_a_request_for_a_nodes_model_is_not_blamed_for_one_of_the_workflow(client: Client) -> None:
    failed, past = client.together(("wfpredict/flow", DAMAGED), ("predictions/flow__first", BLUE))
    assert failed == (500, STOPPED)
    message = "The batch failed, since another request in it did"
    assert past == (503, {"code": 503, "type": "InternalServerException", "message": message})
    answers = client.together(("wfpredict/flow", RED), ("predictions/flow__first", BLUE))
    assert [status for status, _ in answers] == [200, 200]
    assert (answers[0][1]["labels"], list(answers[1][1])) == (["red"], ["blue"])


@pytest.mark.parametrize("model", ["first", "flow__first"])
def test_the_same_handler_answers_row_by_row_where_no_workflow_asks(client: Client, model: str) -> None:
    path = f"predictions/{model}"
    (status, good), (bad_status, bad) = client.together((path, BLUE), (path, DAMAGED))
    assert (status, list(good)) == (200, ["blue"])
    assert (bad_status, bad["code"], bad["type"]) == (400, 400, "BadRequestException")
