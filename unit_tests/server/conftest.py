"""One live TorchServe for all tests of this folder, beside the runner with the same archives."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable

import pytest
import requests
from counting import COUNTING
from format_archives import LIVE_FORMATS
from live_handlers import ACTOR, ECHO, FUNCTION, OWN, write_archive

from ts.runner import Answer, Model, ServerError, load_archive
from ts.runner.torchserve.java import java_home
from ts.runner.torchserve.server import TorchServe

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


COLOURS = """
from torch import nn

class Colours(nn.Module):
    def forward(self, images):
        return images.mean(dim=(2, 3))
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """An empty folder whose path is short, as those of sockets must be."""
    with TemporaryDirectory(prefix="t") as folder:
        yield Path(folder)


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
        write_archive(folder, "vectors", "embedder", {"colours.py": COLOURS}, modelFile="colours.py"),
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
