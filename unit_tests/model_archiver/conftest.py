"""A folder with a small model's files, and ways to pack it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import model_archiver
import pytest
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import package_model

PACKAGES = str(Path(model_archiver.__file__).parent.parent)
SUFFIXES = {"default": ".mar", "zip-store": ".mar", "tgz": ".tar.gz", "no-archive": ""}

MODEL_FILE = """
import torch.nn as nn


class Net(nn.Module):
    pass
"""


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: weights.pt, net.py, answer.py and the folder extra/."""
    folder = tmp_path / "inputs"
    (folder / "extra" / "below").mkdir(parents=True)
    (folder / "weights.pt").write_bytes(b"weights" * 100)
    (folder / "net.py").write_text(MODEL_FILE)
    (folder / "answer.py").write_text("def handle(data, context):\n    return data\n")
    (folder / "extra" / "labels.json").write_text("{}")
    (folder / "extra" / "below" / "words.txt").write_text("words")
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return folder


@pytest.fixture
def pack(inputs: Path, tmp_path: Path) -> Callable[..., Path]:
    """Packs a model named "net" in this process; the options are the config's fields. Returns the archive."""

    def pack_net(**options: Any) -> Path:
        export_path = Path(options.setdefault("export_path", str(tmp_path / "store")))
        (tmp_path / "store").mkdir(exist_ok=True)
        config = ModelArchiverConfig(
            **{"model_name": "net", "handler": "answer.py", "version": "1.0", **options}
        )
        package_model(config)
        return export_path / f"{config.model_name}{SUFFIXES[config.archive_format]}"

    return pack_net


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Reads an archive of any format: each file's bytes, by its name in the archive."""

    def read(archive: Path) -> dict[str, bytes]:
        if archive.is_dir():
            files = [path for path in archive.rglob("*") if path.is_file()]
            return {path.relative_to(archive).as_posix(): path.read_bytes() for path in files}
        if archive.name.endswith(".tar.gz"):
            root = len(archive.name[: -len(".tar.gz")]) + 1
            with tarfile.open(archive) as tar:
                members = [member for member in tar if member.isfile()]
                return {member.name[root:]: tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]
        with zipfile.ZipFile(archive) as file:
            return {name: file.read(name) for name in file.namelist() if not name.endswith("/")}

    return read


@pytest.fixture
def manifest(contents: Callable[[Path], dict[str, bytes]]) -> Callable[[Path], dict[str, Any]]:
    """Reads an archive's manifest."""
    return lambda archive: json.loads(contents(archive)["MAR-INF/MANIFEST.json"])


@pytest.fixture
def command() -> Callable[..., list[str]]:
    """Makes the command line of torch-model-archiver; `before` is Python that runs first in its process."""

    def make(*arguments: str, before: str = "") -> list[str]:
        code = f"{before}\nfrom model_archiver.model_packaging import generate_model_archive as main\nmain()"
        return [sys.executable, "-c", code, *arguments]

    return make


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment in which a child process finds the package."""
    return {**os.environ, "PYTHONPATH": PACKAGES}


@pytest.fixture
def cli(
    inputs: Path, command: Callable[..., list[str]], environment: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs torch-model-archiver in a process of its own, in the folder of inputs."""

    def run(*arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments, before=before),
            env=environment,
            cwd=inputs,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(params=list(SUFFIXES))
def archive_format(request: pytest.FixtureRequest) -> str:
    """Every archive format in turn."""
    return request.param
