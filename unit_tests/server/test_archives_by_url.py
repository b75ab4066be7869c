"""Servers whose archives are named by URLs; each fetches the file, or finds it in the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from web_server import Page, web_server

from ts.runner.serving.embedded.server import EmbeddedServer
from ts.runner.torchserve.server import TorchServe


def answer(url: str) -> Any:
    session = requests.Session()
    session.trust_env = False
    return session.post(f"{url}/predictions/echo", data=b"hi", timeout=120).json()["row"]


@pytest.mark.usefixtures("needs_torchserve")
def test_both_engines_serve_what_a_url_names(
    archives: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    with web_server() as web:
        web.pages["/echo.mar"] = Page(archives["echo"].read_bytes(), '"v1"')
        with EmbeddedServer([f"{web.url}/echo.mar"], device="cpu") as embedded:
            first = answer(embedded.url)
        with TorchServe([f"{web.url}/echo.mar"], device="cpu") as torchserve:
            second = answer(torchserve.url)
        assert web.count("GET") == 1
    assert first == second == {"body": ["bytearray", b"hi".hex()]}
