"""Beside torch-model-archiver 0.12: one command line makes the same archive, and the runner opens either."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import load_archive

SUFFIXES = {"default": ".mar", "zip-store": ".mar", "tgz": ".tar.gz", "no-archive": ""}
OWN_KEYS = {"createdOn", "archiverVersion", "sha256"}

# Run with `-S`, that is without the `.pth` files: then `model_archiver` is torchserve's own.
UPSTREAM = """
import sys
sys.path.insert(0, {folder!r})
import model_archiver
assert model_archiver.__file__.startswith({folder!r}), model_archiver.__file__
from model_archiver.model_packaging import generate_model_archive
generate_model_archive()
"""

HANDLER = """
import pathlib

def handle(data, context):
    if data is None:
        return None
    words = pathlib.Path(context.system_properties["model_dir"], "below", "words.txt").read_text()
    return [[words, context.model_yaml_config["own"], context.manifest["archiverVersion"]]]
"""


@pytest.fixture
def options(inputs: Path, archive_format: str) -> list[str]:
    """A command line with every kind of file, a folder and a pattern in --extra-files among them."""
    (inputs / "answer.py").write_text(HANDLER)
    (inputs / "requirements.txt").write_text("numpy\n")
    (inputs / "settings.yaml").write_text("own: 7\n")
    (inputs / "extra" / "__pycache__").mkdir()
    (inputs / "extra" / "__pycache__" / "old.pyc").write_text("")
    return [
        *("--model-name", "net", "--version", "1.5", "--handler", "answer:handle", "--runtime", "python3"),
        *("--serialized-file", "weights.pt", "--model-file", "net.py", "--extra-files", "extra,*.txt"),
        *("-r", "requirements.txt", "-c", "settings.yaml", "--archive-format", archive_format),
    ]


@pytest.fixture
def upstream(inputs: Path, options: list[str], archive_format: str, tmp_path: Path) -> Path:
    """The archive that torch-model-archiver 0.12 makes of these options."""
    try:
        folder = str(importlib.metadata.distribution("torch-model-archiver").locate_file(""))
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("needs torchserve's own archiver: pip install torch-model-archiver==0.12.0")
    store, staging = tmp_path / "upstream", tmp_path / "staging"
    store.mkdir()
    staging.mkdir()
    done = subprocess.run(
        [sys.executable, "-S", "-c", UPSTREAM.format(folder=folder), *options, "--export-path", str(store)],
        cwd=inputs,
        env={**os.environ, "TMPDIR": str(staging), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return store / f"net{SUFFIXES[archive_format]}"


@pytest.fixture
def ours(cli: Callable[..., Any], options: list[str], archive_format: str, tmp_path: Path) -> Path:
    """The archive that this archiver makes of them."""
    (tmp_path / "ours").mkdir()
    done = cli(*options, "--export-path", str(tmp_path / "ours"))
    assert done.returncode == 0, done.stderr
    return tmp_path / "ours" / f"net{SUFFIXES[archive_format]}"


def test_the_same_command_line_packs_the_same_files_under_the_same_names(
    upstream: Path, ours: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    theirs, found = contents(upstream), contents(ours)
    manifests = [json.loads(files.pop("MAR-INF/MANIFEST.json")) for files in (theirs, found)]
    assert found == theirs
    assert set(found) == {
        "answer.py",
        "below/words.txt",
        "labels.json",
        "net.py",
        "requirements.txt",
        "settings.yaml",
        "weights.pt",
    }
    expected, manifest = [
        {key: value for key, value in manifest.items() if key not in OWN_KEYS} for manifest in manifests
    ]
    assert manifest == expected


def test_the_runner_answers_from_either_archive(upstream: Path, ours: Path) -> None:
    versions = []
    for archive in (upstream, ours):
        with load_archive(archive, device="cpu") as model:
            (answer,) = model.predict([b"x"])
        words, own, version = answer.response
        assert (words, own) == ("words", 7)
        versions.append(version)
    assert versions[0] == "0.12.0" != versions[1]
