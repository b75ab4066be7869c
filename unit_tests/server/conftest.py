"""One live TorchServe for all tests of this folder, beside the runner with the same archives."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from counting import COUNTING

from ts.runner import Answer, Model, ServerError, load_archive
from ts.runner.torchserve.java import java_home
from ts.runner.torchserve.server import TorchServe

ECHO = '''
def described(value):
    """Types and values, in what JSON can say."""
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    return [type(value).__name__, bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value]


class Echo:
    def initialize(self, context):
        self.start = {
            "properties": {**context.system_properties, "model_dir": None},
            "manifest": context.manifest,
            "settings": context.model_yaml_config,
            "request_ids": context.request_ids,
            "request_processor": context.request_processor,
            "module": __name__,
        }

    def handle(self, data, context):
        return [
            {
                "row": described(row),
                "headers": described(context.get_all_request_header(index)),
                "explain": context.get_request_header(index, "explain"),
                "status": context.get_response_status(index),
                "response_headers": context.get_response_headers(index),
                "content_type": context.get_response_content_type(index),
                "sequence_id": context.get_sequence_id(index),
                "ids": len(context.request_ids),
                "start": self.start,
                "rows": len(data),
            }
            for index, row in enumerate(data)
        ]
'''

# Does to each row what its body says.
ACTOR = """
import numpy
from ts.handler_utils.utils import send_intermediate_predict_response
from ts.utils.util import PredictionException

def text_of(row):
    return bytes(row["body"]).decode()

RESULTS = {
    "str": "h\\u00e9llo",
    "json text": '{"a": 1}',
    "empty": "",
    "bytes": b"\\xff\\x00",
    "bytearray": bytearray(b"ba"),
    "dict": {"\\u00e9": [1.5, None, True]},
    "list": [1, 2],
    "tuple": (1, 2),
    "int": 7,
    "float": 0.1,
    "nan": float("nan"),
    "none": None,
    "numpy": numpy.float32(1),
    "set": {1},
}
ERRORS = {
    "400": PredictionException("bad \\u00efnput", 400),
    "513": PredictionException("own code", 513),
    "default": PredictionException("own message"),
    "value": ValueError("secret"),
    "memory": MemoryError("secret"),
}
BATCHES = {"too few": [], "not a list": {"a": 1}, "nothing": None, "a tuple": ("x",), "a generator": iter("x")}


class Actor:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        for row in data:
            if text_of(row) in ERRORS:
                raise ERRORS[text_of(row)]
            if text_of(row) in BATCHES:
                return BATCHES[text_of(row)]
        return [self.answer(text_of(row), index, context) for index, row in enumerate(data)]

    def answer(self, text, index, context):
        if text == "status":
            context.set_response_status(404, "Nope", index)
            return {"code": 404}
        if text == "status without a phrase":
            context.set_response_status(400, idx=index)
            return "no"
        if text == "type":
            context.set_response_content_type(index, "image/png")
            return b"PNG"
        if text == "header":
            context.set_response_header(index, "X-Model", "actor")
        if text == "stream":
            context.set_response_header(index, "X-Model", "actor")
            for part in ("one", {"two": 2}):
                send_intermediate_predict_response([part], context.request_ids, "said", 200, context)
            return "three"
        return RESULTS.get(text, text)
"""

FUNCTION = """
calls = []

def entry(data, context):
    calls.append(repr(data))
    return [list(calls)] if data else None
"""

OWN = """
class Own:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        return ["the archive's own"] * len(data)
"""


def write_archive(folder: Path, name: str, handler: str, files: dict[str, bytes | str], **model: Any) -> Path:
    path = folder / f"{name}.mar"
    section = {"modelName": name, "handler": handler, "modelVersion": "1.0", **model}
    manifest = {"runtime": "python", "model": section, "archiverVersion": "0.12.0"}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {**files, "MAR-INF/MANIFEST.json": json.dumps(manifest)}.items():
            archive.writestr(member, content)
    return path


BROKEN = """
class Broken:
    def initialize(self, context):
        raise ValueError("the weights are bad")

    def handle(self, data, context):
        return data
"""


@pytest.fixture
def broken_archive(tmp_path: Path) -> Path:
    """Its handler does not start."""
    return write_archive(tmp_path, "broken", "broken.py", {"broken.py": BROKEN})


WORDS = """
def handle(data, context):
    if data is None:
        return None
    context.metrics.get_metric("Words").add_or_update(len(data[0]["body"].split()), [context.model_name])
    return ["counted"]
"""


@pytest.fixture
def counting_archive(tmp_path: Path) -> Path:
    """Its handler counts words by a metric that it finds defined."""
    return write_archive(tmp_path, "counting", "counting.py", {"counting.py": WORDS})


@pytest.fixture(scope="session")
def needs_torchserve() -> None:
    if importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed: pip install 'torchserve-handlers[server]'")
    try:
        java_home(os.environ)
    except ServerError as error:
        pytest.skip(str(error))


LIVE_FORMATS = (
    "lite0_pth",
    "lite0_safetensors",
    "lite0_torchscript",
    "lite0_exported",
    "resnet_by_name",
    "u2netp_onnx",
)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Path]:
    """The archives under test, by model name: zips, a tar and a folder."""
    folder = tmp_path_factory.mktemp("archives")
    batches = (
        "batchSize: 3\nmaxBatchDelay: 60000\nminWorkers: 1\nmaxWorkers: 1\n"  # sent when 3 rows are there
    )
    config = {"configFile": "settings.yaml"}
    continuous = "continuousBatching: true\n" + batches.replace("60000", "1")
    paths = [
        write_archive(
            folder, "echo", "echo.py", {"echo.py": ECHO, "settings.yaml": "own: {key: 1}\n"}, **config
        ),
        write_archive(folder, "actor", "actor.py", {"actor.py": ACTOR}),
        write_archive(folder, "actor3", "actor.py", {"actor.py": ACTOR, "settings.yaml": batches}, **config),
        write_archive(
            folder,
            "counting",
            "counting.py",
            {"counting.py": COUNTING, "settings.yaml": continuous},
            **config,
        ),
        write_archive(folder, "function", "pkg/own.py:entry", {"pkg/own.py": FUNCTION}),
        write_archive(folder, "own", "image_classifier", {"image_classifier.py": OWN}),
    ]
    # Where the real weights are not to be had, the tests that ask for this fixture are skipped, and no others.
    with suppress(pytest.skip.Exception):
        paths.append(request.getfixturevalue("efficientnet_lite0"))
        formats = request.getfixturevalue("format_archives")
        paths += [formats[name] for name in LIVE_FORMATS if name in formats]
    archives = {path.stem: path for path in paths}
    for name in ("function", "own"):
        shutil.unpack_archive(archives[name], folder / name, "zip")
    archives["own"] = folder / "own"
    archives["function"] = Path(shutil.make_archive(str(folder / "packed"), "gztar", folder, "function"))
    return archives


class Client:
    """A client of the live server, whose answers have the same shape as the runner's."""

    def __init__(self, server: TorchServe) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between this machine and itself

    def predict(self, model: str, *, explain: bool = False, **request: Any) -> Answer:
        """Posts to a model; `request` goes to requests: `data`, `json`, `files`, `headers`."""
        verb = "explanations" if explain else "predictions"
        response = self._session.post(f"{self.server.url}/{verb}/{model}", timeout=120, **request)
        return Answer(
            response.status_code,
            response.content,
            response.reason,
            response.headers.get("content-type"),
            {key: value for key, value in response.headers.items() if key.startswith("X-")},
        )

    def describe(self, model: str) -> Any:
        url = f"{self.server.management_url}/models/{model}?customized=true"
        return self._session.get(url, timeout=120).json()[0]["customizedMetadata"]


@pytest.fixture(scope="session")
def live(needs_torchserve: None, archives: dict[str, Path]) -> Iterator[Client]:
    with TorchServe(list(archives.values()), device="cpu") as server:
        yield Client(server)


@pytest.fixture(scope="session")
def load(archives: dict[str, Path]) -> Iterator[Callable[[str], Model]]:
    """`load(name)` is the model of that name in the runner."""
    with ExitStack() as stack:
        models: dict[str, Model] = {}

        def load(name: str) -> Model:
            if name not in models:
                models[name] = stack.enter_context(load_archive(archives[name], device="cpu"))
            return models[name]

        yield load
