"""A cache of each test's own, servers, and tiny archives as bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import WebServer, web_server

from ts.runner.fetching import remote


def mar(text: str = "") -> bytes:
    """An archive whose handler answers each row with a text."""
    model = {"modelName": "tiny", "handler": "echo.py:handle", "modelVersion": "1.0"}
    content = io.BytesIO()
    handler = f"def handle(data, context):\n    return [{text!r} for _ in data or ()]\n"
    with zipfile.ZipFile(
        content, "w"
    ) as archive:  # with no time of its own, so that it is the same each time
        archive.writestr(zipfile.ZipInfo("echo.py"), handler)
        archive.writestr(zipfile.ZipInfo("MAR-INF/MANIFEST.json"), json.dumps({"model": model}))
    return content.getvalue()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are kept, once there are any."""
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TORCHSERVE_HANDLERS_CACHE_SIZE", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(remote, "PAUSE_SECONDS", 0.0)
    return tmp_path / "cache" / "archives"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with web_server() as server:
        yield server
