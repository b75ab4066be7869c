from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.archives.inspection import inspection
from ts.runner.errors import ArchiveError


def folder_with(tmp_path: Path, digests: Any) -> Path:
    (tmp_path / "MAR-INF").mkdir()
    (tmp_path / "own.py").write_text("raise SystemExit")
    model = {"modelName": "tiny", "handler": "own.py", "modelVersion": "1.0"}
    (tmp_path / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": model, "sha256": digests}))
    return tmp_path


def test_every_file_is_listed_with_its_size_and_digest(build: Callable[..., Path]) -> None:
    files = {"own.py": "raise SystemExit", "c.yaml": "batchSize: 2"}
    with open_archive(build("own.py", files, configFile="c.yaml")) as archive:
        facts = inspection(archive)
    assert facts["settings"] == {"batchSize": 2}
    assert facts["manifest"]["model"]["handler"] == "own.py"
    assert facts["damaged"] == []
    assert {file["name"]: file["size"] for file in facts["files"][1:]} == {"c.yaml": 12, "own.py": 16}
    assert facts["files"][2]["sha256"] == hashlib.sha256(b"raise SystemExit").hexdigest()


@pytest.mark.parametrize("name", ["own.py", "absent.pt", "../../etc/passwd"])
def test_a_file_that_is_not_the_manifests_is_named(tmp_path: Path, name: str) -> None:
    with open_archive(folder_with(tmp_path, {name: "0" * 64})) as archive:
        assert inspection(archive)["damaged"] == [name]


def test_digests_must_be_a_mapping(tmp_path: Path) -> None:
    with (
        open_archive(folder_with(tmp_path, ["x"])) as archive,
        pytest.raises(ArchiveError, match="sha256 is not a mapping"),
    ):
        inspection(archive)
