"""Our handlers in a live TorchServe, with a network that tells red, green and blue images from each other."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from PIL import Image

from ts.runner import Answer, Model, load_archive
from ts.runner.torchserve.server import TorchServe

MODEL = """
import torch

class Colours(torch.nn.Module):
    def forward(self, images):
        return images.mean((2, 3))
"""
LABELS = '{"0": "red", "1": "green", "2": "blue"}'

# One archive with many handlers, since each archive costs a process: the header "kind" chooses.
ZOO = """
import kinds

class Zoo:
    def initialize(self, context):
        self.handlers = {name: kind() for name, kind in vars(kinds).items() if name in kinds.NAMES}
        for handler in self.handlers.values():
            handler.initialize(context)

    def handle(self, data, context):
        return self.handlers[context.get_request_header(0, "kind")].handle(data, context)
"""
KINDS = """
from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.requests.payload import payload_of
from ts.torch_handler.image_classifier import ImageClassifier
from ts.utils.util import PredictionException as Refused

import io
import numpy as np
from PIL import Image

RED = io.BytesIO()
Image.new("RGB", (8, 8), "red").save(RED, "PNG")
RED = RED.getvalue()

def is_text(row):
    return bytes(payload_of(row)).startswith(b"no photo")

def is_white(values):
    return bool((values > 0).all())

def refuse_named(found, error):
    if any(found):
        raise RowErrors({index: error for index, bad in enumerate(found) if bad})

def refuse_all(found, error):
    if any(found):
        raise error

class PreprocessNames(ImageClassifier):
    def preprocess(self, data):
        refuse_named([is_text(row) for row in data], InvalidInput("a text"))
        return super().preprocess(data)

class PreprocessRaises(ImageClassifier):
    def preprocess(self, data):
        refuse_all([is_text(row) for row in data], ValueError("a text"))
        return super().preprocess(data)

class InferenceNames(ImageClassifier):
    def inference(self, data):
        refuse_named([is_white(image.mean((1, 2))) for image in data], InvalidInput("a white image", 422))
        return super().inference(data)

class InferenceRaises(ImageClassifier):
    def inference(self, data):
        refuse_all([is_white(image.mean((1, 2))) for image in data], RuntimeError("a secret of the house"))
        return super().inference(data)

class PostprocessNames(ImageClassifier):
    def postprocess(self, data):
        refuse_named([is_white(row) for row in data], InvalidInput("a white image"))
        return super().postprocess(data)

class PostprocessRaises(ImageClassifier):
    def postprocess(self, data):
        refuse_all([is_white(row) for row in data], InvalidInput("a white image"))
        return super().postprocess(data)

class CountsRows(ImageClassifier):
    def postprocess(self, data):
        return [len(data)] * len(data)

class ChoosesStatus(ImageClassifier):
    def preprocess(self, data):
        for row in range(len(data)):
            status = self.context.get_request_header(row, "status")
            if status:
                raise Refused("as it is", int(status))
        return super().preprocess(data)

class AnswersNumpy(ImageClassifier):
    def postprocess(self, data):
        return [{"means": row.numpy() / (1 - np.float32(is_white(row)))} for row in data]

class CountsReds(ImageClassifier):
    reds = 0

    def preprocess(self, data):
        self.reds += sum(row["body"] == RED for row in data)
        return super().preprocess(data)

    def postprocess(self, data):
        return [self.reds] * len(data)

NAMES = [name for name in list(globals()) if name[:3] in ("Pre", "Inf", "Pos", "Cou", "Cho", "Ans")]
"""

MICRO = """
from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.image_classifier import ImageClassifier

class Micro(ImageClassifier):
    def __init__(self):
        super().__init__()
        self.handle = MicroBatching(self)

    def initialize(self, context):
        super().initialize(context)
        self.handle.micro_batch_size = 2
        self.handle.parallelism = context.model_yaml_config["micro_batching"]["parallelism"]

    def postprocess(self, data):
        counted = self.context.get_request_header(0, "count")
        return [len(data)] * len(data) if counted else super().postprocess(data)
"""
HANDLER = "handler: {profile: true, resize: 32, crop: 32}\n"
PARALLELISM = "micro_batching: {parallelism: {preprocess: 2, inference: 2, postprocess: 1}}\n"


def write_archive(folder: Path, handler: str, files: Mapping[str, str], settings: str) -> Path:
    """An archive that is a folder, named as its model, with the network and its labels."""
    model = {"modelName": folder.name, "handler": handler, "modelVersion": "1.0", "modelFile": "colours.py"}
    manifest = {"runtime": "python", "model": {**model, "configFile": "settings.yaml"}}
    contents = {
        "MAR-INF/MANIFEST.json": json.dumps(manifest),
        "colours.py": MODEL,
        "index_to_name.json": LABELS,
        "settings.yaml": settings,
        **files,
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def batches_of(rows: int) -> str:
    """Settings by which a batch is sent when that many requests are there."""
    return f"batchSize: {rows}\nmaxBatchDelay: 60000\nminWorkers: 1\nmaxWorkers: 1\n{HANDLER}"


class Asker:
    """Sends requests to a live server."""

    def __init__(self, server: TorchServe) -> None:
        self.server = server

    def together(self, model: str, requests: Sequence[Mapping[str, Any]]) -> list[Answer]:
        """The answers to requests that are sent at the same time; each is what `ask` takes, as a dictionary."""
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(lambda request: self.ask(model, **request), requests))

    def ask(self, model: str, *, explain: bool = False, method: str = "POST", **request: Any) -> Answer:
        verb = "explanations" if explain else "predictions"
        with requests.Session() as session:
            session.trust_env = False  # no proxy stands between this machine and itself
            url = f"{self.server.url}/{verb}/{model}"
            response = session.request(method, url, timeout=120, **request)
        kind = response.headers.get("content-type")
        return Answer(response.status_code, response.content, response.reason, kind)

    def get(self, url: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=120)


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """`colours(rows)` is the archive of an image_classifier with batches of so many rows."""

    def write(rows: int) -> Path:
        folder = tmp_path_factory.mktemp("archives") / "colours"
        return write_archive(folder, "image_classifier", {}, batches_of(rows))

    return write


@pytest.fixture(scope="session")
def served(
    needs_torchserve: None, colours: Callable[[int], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Asker]:
    """A server with the models colours and zoo, in batches of 4, and micro, in batches of 5."""
    folder = tmp_path_factory.mktemp("archives")
    archives = [
        colours(4),
        write_archive(folder / "zoo", "zoo.py", {"zoo.py": ZOO, "kinds.py": KINDS}, batches_of(4)),
        write_archive(folder / "micro", "micro.py", {"micro.py": MICRO}, batches_of(5) + PARALLELISM),
    ]
    config = {"metrics_mode": "prometheus", "model_metrics_auto_detect": "true"}
    with TorchServe(archives, device="cpu", config=config) as server:
        yield Asker(server)


@pytest.fixture(scope="session")
def ask_at() -> Callable[[TorchServe], Asker]:
    """`ask_at(server)` sends requests to it."""
    return Asker


@pytest.fixture(scope="session")
def runner(colours: Callable[[int], Path]) -> Iterator[Model]:
    """The model colours without a server."""
    with load_archive(colours(1), device="cpu") as model:
        yield model


@pytest.fixture(scope="session")
def alone(runner: Model) -> Callable[..., Any]:
    """`alone(payload, explain=..., **options)` is the answer to a request that shares its batch with no other."""

    def answer(payload: Any, explain: bool = False, **options: Any) -> Any:
        (answer,) = runner.predict([payload], explain=explain, options=options or None)
        assert answer.status == 200, answer.body
        return answer.response

    return answer


@pytest.fixture(scope="session")
def image() -> Callable[[str], bytes]:
    """`image(colour)` is a PNG of one colour."""

    def encode(colour: str) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), colour).save(buffer, "PNG")
        return buffer.getvalue()

    return encode
