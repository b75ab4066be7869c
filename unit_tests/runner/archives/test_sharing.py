"""One folder for all processes that want the same archive."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.archives.sharing import key_of, unpacked
from ts.runner.errors import FolderError
from ts.runner.folders import temporary_folder

pytest.importorskip("fcntl")

OPENS = """
import sys
from ts.runner.archives.archive import open_archive
with open_archive(sys.argv[1], shared=True) as archive:
    print(archive.root, flush=True)
    sys.stdin.read()
"""
DIGEST = 64 * "a"


class User:
    """Another process that has an archive open."""

    def __init__(self, archive: str) -> None:
        command = [sys.executable, "-c", OPENS, archive]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def root(self) -> Path:
        assert self.process.stdout
        return Path(self.process.stdout.readline().strip())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        self.process.communicate("")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of these tests, and of the processes that they start."""
    found = tmp_path / "temporary"
    found.mkdir()
    monkeypatch.setenv("TMPDIR", str(found))
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """With its pin."""
    path = tmp_path / "tiny.mar"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("own.py", "")
        manifest = '{"model": {"modelName": "tiny", "handler": "own.py", "modelVersion": "1.0"}}'
        file.writestr("MAR-INF/MANIFEST.json", manifest)
    return f"{path}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.fixture
def users(archive: str) -> Iterator[Callable[[int], list[User]]]:
    """`users(2)` starts so many."""
    with ExitStack() as stack:

        def start(count: int) -> list[User]:
            started = [User(archive) for _ in range(count)]
            for user in started:
                stack.callback(user.kill)
            return started

        yield start


def test_all_have_the_same_files_until_the_last_is_gone(
    place: Path, users: Callable[[int], list[User]]
) -> None:
    started = users(4)
    roots = {user.root() for user in started}
    assert len(roots) == 1
    (root,) = roots
    assert (root / "own.py").exists()
    for user in started[1:]:
        user.end()
    assert (root / "own.py").exists()
    assert len(list(place.iterdir())) == 1
    started[0].end()
    assert list(place.iterdir()) == []


def test_what_killed_users_left_is_no_growing_pile(place: Path, users: Callable[[int], list[User]]) -> None:
    for _ in range(3):
        started = users(2)
        for user in started:
            user.root()
        for user in started:
            user.kill()
        assert len(list(place.iterdir())) == 1
    with temporary_folder("torch-model-") as folder:
        assert list(place.iterdir()) == [folder.path.parent]


def test_one_that_is_killed_takes_nothing_from_the_others(
    archive: str, users: Callable[[int], list[User]]
) -> None:
    (user,) = users(1)
    root = user.root()
    with open_archive(archive, shared=True) as opened:
        assert opened.root == root
        user.kill()
        with open_archive(archive, shared=True), temporary_folder("torch-model-"):
            pass
        assert (root / "own.py").exists()
    assert not root.exists()


def test_what_was_killed_while_it_was_filled_is_filled_again(place: Path) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    outer = place / f"torch-model-{key_of(DIGEST)}"
    (outer / "f" / "archive").mkdir(parents=True)
    (outer / "f" / "archive" / "half").touch()
    outer.chmod(0o700)
    with unpacked(lambda folder: (folder / "whole").touch(), DIGEST) as folder:
        assert [path.name for path in folder.iterdir()] == ["whole"]
        assert stat.S_IMODE(outer.stat().st_mode) == 0o700
    with pytest.raises(KeyboardInterrupt), unpacked(fails, DIGEST):
        pass
    assert list(place.iterdir()) == []


def test_a_folder_that_others_can_enter_or_that_is_none_is_not_used(place: Path, tmp_path: Path) -> None:
    outer = place / f"torch-model-{key_of(DIGEST)}"
    outer.mkdir()
    outer.chmod(0o755)
    with unpacked(lambda folder: (folder / "own.py").touch(), DIGEST) as folder:
        assert outer not in folder.parents
    assert list(outer.iterdir()) == []
    outer.rmdir()
    outer.symlink_to(tmp_path)
    with unpacked(lambda folder: (folder / "own.py").touch(), DIGEST) as folder:
        assert tmp_path / "f" not in folder.parents
    assert not (tmp_path / "f").exists()


def test_where_no_folder_can_be_made_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with (
        pytest.raises(FolderError, match="no temporary folder can be made"),
        unpacked(lambda _: None, DIGEST),
    ):
        pass


def test_without_a_digest_nobody_shares(archive: str) -> None:
    path = archive.partition("@")[0]
    with open_archive(path, shared=True) as first, open_archive(path, shared=True) as second:
        assert first.root != second.root
    with open_archive(archive) as first, open_archive(archive, shared=True) as second:
        assert first.root != second.root


def test_other_content_has_another_folder() -> None:
    assert key_of(DIGEST) != key_of(64 * "b")
    assert os.path.basename(key_of(DIGEST)) == key_of(DIGEST)
