from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.errors import ServerError
from ts.runner.torchserve.server import TorchServe, stop


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


def test_stopping_leaves_nothing_of_the_process_group(tmp_path: Path) -> None:
    script = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, flush=True); input()"
    launcher = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert launcher.stdout is not None
    launcher.stdout.readline()
    stop(launcher, tmp_path / "no pid file")
    assert launcher.returncode is not None
    assert launcher.stdout.read() == b""  # its end: the child, which shares the pipe, is gone too
