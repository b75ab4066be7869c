from __future__ import annotations

import json
import os
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


# Each line stands for nine times what the line before it does.
BOMB = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
MODEL = '{"model": {"modelName": "m", "handler": "h", "modelVersion": "1", %s}}'


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
        (
            '{"model": {"modelName": ["m"], "handler": "h", "modelVersion": null}}',
            "lacks modelName, modelVersion",
        ),
        (
            '{"model": {"modelName": "m\\n", "handler": "h", "modelVersion": "1"}}',
            "'m\\\\n' as modelName, where a name",
        ),
        (MODEL % '"serializedFile": 3', "has 3 as serializedFile, where a name is due"),
        (MODEL % '"modelFile": ["a", "b"]', "has \\['a', 'b'\\] as modelFile, where a name is due"),
        (MODEL % '"configFile": {}', "has {} as configFile, where a name is due"),
        (
            MODEL % f'"requirementsFile": "{"x" * 1025}"',
            "has 'x{99}... as requirementsFile, where a name is due",
        ),
        (
            MODEL % f'"serializedFile": "{"x" * 300}"',
            "names 'x{99}... as its serializedFile, but the archive has no",
        ),
        (MODEL % '"speed": NaN', "odd.mar is not JSON: it has 'NaN' as a number"),
        (MODEL % '"speed": -1e999', "odd.mar is not JSON: it has '-1e999' as a number"),
        (MODEL % f'"speed": {"9" * 5000}', "odd.mar has a number of 5000 characters"),
        ("[" * 100_000, "MANIFEST.json in .*odd.mar has lists or mappings more than 64 deep"),
        (" " * (8 << 20) + "{}", "has 8388609 bytes, and 8388608 are the most that is read"),
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
        (BOMB, "c.yaml in .* stands for more than 20000 values, the most that are read"),
        ("a: &a [*a]", "c.yaml in .* has an alias that stands for itself"),
        ("[" * 60_000, "c.yaml in .* has lists or mappings more than 64 deep"),
        ("a: " + "b" * 70_000, "c.yaml in .* has 65537 bytes, and 65536 are the most that is read"),
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


def test_what_an_archive_unpacks_to_is_what_max_size_says(build: Build) -> None:
    path = build(files={"echo.py": "x" * 10_000})
    size = 10_000 + (len(zipfile.ZipFile(path).read("MAR-INF/MANIFEST.json")))
    with open_archive(path, max_size=size) as archive:
        assert len(archive.files()) == 2
    with (
        pytest.raises(
            ArchiveError, match=f"unpacks to {size} bytes or more, and max_size is {size - 1}: if you"
        ),
        open_archive(path, max_size=size - 1),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_of_a_folder_only_plain_files_inside_of_it_count(build: Build, tmp_path: Path) -> None:
    path = build(to="tiny", files={"echo.py": "", "weights.pt": "numbers"})
    (tmp_path / "secret").write_text("key")
    (path / "link.pt").symlink_to("weights.pt")
    (path / "outside.pt").symlink_to(tmp_path / "secret")
    (path / "device.pt").symlink_to("/dev/zero")
    os.mkfifo(path / "fifo.pt")
    with open_archive(path) as archive:
        names = [name.as_posix() for name in archive.files()]
        with pytest.raises(FileNotFoundError):
            archive.open("outside.pt")
    assert names == ["MAR-INF/MANIFEST.json", "echo.py", "link.pt", "weights.pt"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_manifest_that_is_no_plain_file_is_none(build: Build) -> None:
    path = build(to="tiny")
    (path / "MAR-INF" / "MANIFEST.json").unlink()
    os.mkfifo(path / "MAR-INF" / "MANIFEST.json")
    with pytest.raises(ArchiveError, match=r"it has no MAR-INF/MANIFEST\.json"), open_archive(path):
        pass
