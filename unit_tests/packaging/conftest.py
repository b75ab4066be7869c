"""What the tests of the packaging share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def our_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "source"  # a build leaves files beside the sources
    ignored = ["--exclude=.git", "--exclude=.venv*", "--exclude=build", "--exclude=*.egg-info"]
    copy.mkdir()
    packed = subprocess.run(["tar", "-C", str(ROOT), *ignored, "-c", "."], capture_output=True, check=True)
    subprocess.run(["tar", "-C", str(copy), "-x"], input=packed.stdout, check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run([*command, "-w", str(folder), str(copy)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def archiver_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """torch-model-archiver's wheel, made again of the one that is installed."""
    from fresh_venv import repack

    return repack("torch-model-archiver", tmp_path_factory.mktemp("archiver"))
