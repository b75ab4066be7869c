from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.errors import ArchiveError

Build = Callable[..., Path]


@pytest.mark.parametrize("to", ["tiny.mar", "tiny.tar.gz", "tiny.tgz", "tiny"])
def test_every_format_opens_alike(build: Build, to: str) -> None:
    path = build(files={"echo.py": "", "c.yaml": "batchSize: 2", "sub/b.txt": ""}, to=to, configFile="c.yaml")
    with open_archive(path) as archive:
        assert archive.name == "tiny"
        assert archive.handler == "echo.py"
        assert archive.config == {"batchSize": 2}
        assert [file.as_posix() for file in archive.files()] == [
            "MAR-INF/MANIFEST.json",
            "c.yaml",
            "echo.py",
            "sub/b.txt",
        ]


def test_an_archive_without_settings_has_empty_ones(build: Build) -> None:
    with open_archive(str(build())) as archive:
        assert archive.config == {}


@pytest.mark.parametrize("to", ["tiny.mar", "tiny.tar.gz"])
def test_the_unpacked_files_are_private_and_gone_afterwards(build: Build, to: str) -> None:
    with open_archive(build(to=to)) as archive:
        private = archive.root if to == "tiny.mar" else archive.root.parent
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()


def test_the_unpacked_files_are_gone_after_an_error(build: Build) -> None:
    with pytest.raises(KeyboardInterrupt), open_archive(build()) as archive:
        raise KeyboardInterrupt
    assert not archive.root.exists()


def test_a_folder_is_served_where_it_is(build: Build) -> None:
    path = build(to="tiny")
    with open_archive(path) as archive:
        assert archive.root == path
    assert path.exists()


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ArchiveError, match=r"nowhere\.mar does not exist"),
        open_archive(tmp_path / "nowhere.mar"),
    ):
        pass


def rewritten(tmp_path: Path, manifest: str | None) -> Path:
    path = tmp_path / "odd.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("echo.py", "")
        if manifest is not None:
            archive.writestr("MAR-INF/MANIFEST.json", manifest)
    return path


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (None, "odd.mar is no model archive: it has no MAR-INF/MANIFEST.json"),
        ("{", "MANIFEST.json in .*odd.mar is not JSON: "),
        ("[]", 'has no section "model"'),
        ('{"model": {}}', "lacks modelName, handler, modelVersion in its section model"),
        ('{"model": {"modelName": "m", "handler": 3, "modelVersion": "1"}}', "lacks handler in"),
    ],
)
def test_a_wrong_manifest_is_one_sentence(tmp_path: Path, manifest: str | None, message: str) -> None:
    with pytest.raises(ArchiveError, match=message) as raised, open_archive(rewritten(tmp_path, manifest)):
        pass
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("key", ["serializedFile", "modelFile", "configFile", "requirementsFile"])
@pytest.mark.parametrize("name", ["absent.pt", "../../etc/passwd", "/etc/passwd", "sub"])
def test_a_file_that_the_manifest_names_must_be_in_the_archive(build: Build, key: str, name: str) -> None:
    path = build(files={"echo.py": "", "sub/x": ""}, **{key: name})
    with pytest.raises(ArchiveError, match=f"names '{name}' as its {key}"), open_archive(path):
        pass


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b", "must hold settings as `key: value`, but holds a list"),
        ("# nothing", "must hold settings as `key: value`, but holds nothing"),
        ("a: [", "c.yaml in .* is not YAML: "),
    ],
)
def test_wrong_settings_are_one_sentence(build: Build, text: str, message: str) -> None:
    path = build(files={"echo.py": "", "c.yaml": text}, configFile="c.yaml")
    with pytest.raises(ArchiveError, match=message) as raised, open_archive(path):
        pass
    assert "\n" not in str(raised.value)


def test_open_reads_only_inside_the_archive(build: Build) -> None:
    with open_archive(build()) as archive:
        with archive.open("MAR-INF/MANIFEST.json") as file:
            assert json.load(file) == archive.manifest
        with pytest.raises(FileNotFoundError):
            archive.open("../../etc/passwd")
