"""Archives for the embedded engine, and a client of it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

# Does what the body of a request says.
OBEYS = """
import os, time

class Obeys:
    def initialize(self, context):
        self.batches = 0

    def handle(self, data, context):
        self.batches += 1
        return [self.answer(bytes(row.get("data") or row["body"]).decode(), len(data), context) for row in data]

    def answer(self, text, rows, context):
        if text.startswith("wait for "):
            while not os.path.exists(text[9:]):
                time.sleep(0.01)
        if text.startswith("mark "):
            open(text[5:], "w").close()
            time.sleep(3600)
        if text == "die":
            os._exit(3)
        return {"said": text, "rows": rows, "batch": self.batches, "pid": os.getpid(), "cwd": os.getcwd(),
                "threads": os.environ.get("OMP_NUM_THREADS"), "header": context.get_request_header(0, "X-Own")}
"""
BROKEN = """
class Broken:
    def initialize(self, context):
        raise ValueError("the weights are bad")

    def handle(self, data, context):
        return data
"""


def write(folder: Path, name: str, source: str = OBEYS, version: str = "1.0", **config: Any) -> Path:
    """An archive of one handler, with settings."""
    path = folder / f"{name}-{version}.mar"
    model = {"modelName": name, "handler": "own.py", "modelVersion": version, "configFile": "config.yaml"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own.py", source)
        archive.writestr("config.yaml", json.dumps(config or {"own": 1}))
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": model}))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """`archive(name, source, version, **settings)` writes an archive; without a source its handler obeys."""
    return lambda name="obeys", source=OBEYS, version="1.0", **config: write(
        tmp_path, name, source, version, **config
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Its handler does not start."""
    return write(tmp_path, "broken", BROKEN)


@pytest.fixture
def send() -> Callable[..., requests.Response]:
    """`send(url, **)` posts, by no proxy."""
    session = requests.Session()
    session.trust_env = False

    def send(url: str, data: Any = b"hello", method: str = "POST", **more: Any) -> requests.Response:
        return session.request(method, url, data=None if "files" in more else data, timeout=60, **more)

    return send
