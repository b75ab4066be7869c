"""Tiny archives, written byte by byte, so that these tests need no archiver and no network."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

ECHO = """
class Echo:
    def initialize(self, context):
        self.context = context

    def handle(self, data, context):
        return [{key: repr(value) for key, value in row.items()} for row in data]
"""


def manifest_of(handler: str, **model: Any) -> bytes:
    section = {"modelName": "tiny", "handler": handler, "modelVersion": "1.0", **model}
    return json.dumps({"runtime": "python", "model": section, "archiverVersion": "0.12.0"}).encode()


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"tiny/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_folder(path: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Path]:
    """`build(handler, files, **keys of the manifest's model)` writes an archive and returns its path."""

    def build(
        handler: str = "echo.py", files: dict[str, str] | None = None, *, to: str = "tiny.mar", **model: Any
    ) -> Path:
        members = {name: text.encode() for name, text in (files or {"echo.py": ECHO}).items()}
        members["MAR-INF/MANIFEST.json"] = manifest_of(handler, **model)
        path = tmp_path / to
        write = write_zip if to.endswith(".mar") else write_tar if to.endswith("gz") else write_folder
        write(path, members)
        return path

    return build


@pytest.fixture
def build_class(build: Callable[..., Path]) -> Callable[[str], Path]:
    """`build_class(body)` writes an archive whose handler's `handle(self, data, context)` has that body."""

    def build_class(body: str) -> Path:
        lines = "\n".join(f"        {line}" for line in body.splitlines())
        source = (
            "class Handler:\n"
            "    def initialize(self, context):\n        self.context = context\n\n"
            f"    def handle(self, data, context):\n{lines}\n"
        )
        return build("own.py", {"own.py": source})

    return build_class


# Only this library's part of the packages that torchserve has too.
WITHOUT_TORCHSERVE = """
import importlib.util, json, sys
import ts, ts.handler_utils, ts.torch_handler, ts.utils
for package in (ts, ts.handler_utils, ts.torch_handler, ts.utils):
    del package.__path__[1:]
sys.modules.pop("ts.version", None)
assert importlib.util.find_spec("ts.model_server") is None
"""


@pytest.fixture(scope="session")
def without_torchserve() -> Callable[..., subprocess.CompletedProcess[str]]:
    """`without_torchserve(code, *argv)` runs code in a process that finds no module of torchserve."""

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "ignore", "-c", WITHOUT_TORCHSERVE + code, *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    return run
