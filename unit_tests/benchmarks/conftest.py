"""What tests of several benchmarks share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from benchmarks.processes.namespace import ROOT, why_not
from benchmarks.results import Report, read
from benchmarks.workers.processes import installed_torchserve

QuickRun = Callable[..., Report]


@pytest.fixture(scope="session")
def torchserve() -> Path:
    """The site-packages that torchserve is installed in."""
    try:
        return installed_torchserve()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def quick_run(tmp_path_factory: pytest.TempPathFactory) -> QuickRun:
    """Runs a script of benchmarks that starts servers, with `--quick` and options, and returns what it found."""
    if reason := why_not():
        pytest.skip(reason)

    def run(script: str, *options: str) -> Report:
        file = tmp_path_factory.mktemp(script) / "quick.json"
        environment = {
            key: value for key, value in os.environ.items() if not key.endswith("_BENCHMARK_INSIDE")
        }
        ended = subprocess.run(
            [sys.executable, str(ROOT / "benchmarks" / script), "--quick", "--json", str(file), *options],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert ended.returncode == 0, ended.stderr
        return read(file)

    return run
