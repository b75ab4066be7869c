from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.errors import ServerError
from ts.runner.torchserve.server import TorchServe


def test_without_torchserve_the_error_says_how_to_get_it(
    build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec

    def without_torchserve(name: str) -> Any:
        return None if name == "ts.model_server" else find_spec(name)

    monkeypatch.setattr(importlib.util, "find_spec", without_torchserve)
    server = TorchServe([build()])
    with (
        pytest.raises(ServerError, match=r"not installed: pip install 'torchserve-handlers\[server\]'"),
        server,
    ):
        pass
