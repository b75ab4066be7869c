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


def test_a_file_is_read_under_its_own_name_only(tmp_path: Path) -> None:
    """Or a manifest of many names could have one large file read as often."""
    path = folder_with(tmp_path, {"./own.py": "0", "own.py": hashlib.sha256(b"raise SystemExit").hexdigest()})
    with open_archive(path) as archive:
        assert inspection(archive)["damaged"] == ["./own.py"]


def test_settings_of_any_types_are_shown_as_json(build: Callable[..., Path]) -> None:
    text = "a: .nan, b: -.inf, c: 2001-02-03, 2001-02-03: d, e: !!set {f}, !!binary aGk=: g, h: 1.5, i: , 7: true"
    with open_archive(build(files={"echo.py": "", "c.yaml": f"{{{text}}}"}, configFile="c.yaml")) as archive:
        settings = inspection(archive)["settings"]
    assert json.loads(json.dumps(settings, allow_nan=False)) == {
        "a": "nan",
        "b": "-inf",
        "c": "2001-02-03",
        "2001-02-03": "d",
        "e": "{'f'}",
        "b'hi'": "g",
        "h": 1.5,
        "i": None,
        "7": True,
    }
