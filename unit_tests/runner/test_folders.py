"""Temporary folders: what a killed run left, the next one deletes, and nothing else."""

from __future__ import annotations

import errno
import os
import platform
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ts.runner import folders
from ts.runner.errors import FolderError
from ts.runner.folders import LOCK, temporary_folder

fcntl = pytest.importorskip("fcntl")

RUN = """
import sys, tempfile
from ts.runner.folders import temporary_folder
with temporary_folder("torch-model-") as folder:
    (folder.path / "sub").mkdir()
    (folder.path / "sub" / "weights.pt").write_text("numbers")
    print(folder.path.parent, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of these tests, and of the processes that they start."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def other_run() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process, and its temporary folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.communicate()


def marked(folder: Path, machine: str) -> Path:
    folder.mkdir()
    (folder / LOCK).write_text(machine)
    return folder


def test_it_is_private_and_gone_afterwards(place: Path) -> None:
    with temporary_folder("torch-model-") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.path.parent.stat().st_mode) == 0o700
        assert folder.path.parent.parent == place
        (folder.path / "sub").mkdir()
    assert list(place.iterdir()) == []


def test_what_a_killed_run_left_is_deleted_by_the_next(
    place: Path, other_run: tuple[subprocess.Popen[str], Path]
) -> None:
    process, left = other_run
    process.kill()
    process.wait()
    assert (left / "f" / "sub" / "weights.pt").exists()
    with temporary_folder("torch-model-") as folder:
        assert list(place.iterdir()) == [folder.path.parent]


def test_a_run_that_goes_on_keeps_its_folder(
    place: Path, other_run: tuple[subprocess.Popen[str], Path]
) -> None:
    process, kept = other_run
    with temporary_folder("torch-model-") as first, temporary_folder("torch-model-") as second:
        assert {*place.iterdir()} == {kept, first.path.parent, second.path.parent}
    process.communicate("")
    assert process.returncode == 0
    assert list(place.iterdir()) == []


def test_a_folder_that_is_not_surely_a_runs_is_left_alone(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "torch-model-mine").mkdir()
    marked(place / "torch-model-elsewhere", "another machine")
    marked(place / "torch-model-begun", "")
    marked(place / "target", platform.node())
    (place / "torch-model-link").symlink_to("target")
    (place / "torch-model-lock").mkdir()
    (place / "torch-model-lock" / LOCK).symlink_to(place / "target" / LOCK)
    before = {*place.iterdir()}
    with temporary_folder("torch-model-"):
        pass
    assert {*place.iterdir()} == before
    marked(place / "torch-model-other-users", platform.node())
    uid = os.getuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with temporary_folder("torch-model-"):
        pass
    assert (place / "torch-model-other-users").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with (
        pytest.raises(
            FolderError, match=r"no temporary folder can be made: .*/nowhere.*\(TMPDIR may name another"
        ),
        temporary_folder("torch-model-"),
    ):
        pass


def test_a_disk_that_is_full_at_once_leaves_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(FolderError, match="No space left on device"), temporary_folder("torch-model-"):
        pass
    assert list(place.iterdir()) == []


def test_where_there_are_no_locks_the_folder_goes_with_its_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "fcntl", None)
    left = marked(place / "torch-model-left", platform.node())
    with temporary_folder("torch-model-") as folder:
        assert folder.lock is None
    assert list(place.iterdir()) == [left]
