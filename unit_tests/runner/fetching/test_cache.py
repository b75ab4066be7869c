from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ts.runner.errors import ArchiveError
from ts.runner.fetching.cache import Cache, in_use, users_cache
from ts.utils.locks import locked

needs_flock = pytest.mark.skipif(os.name != "posix", reason="there is no flock")


@pytest.fixture
def cache(cache_folder: Path) -> Cache:
    return Cache(cache_folder, 1000)


def put(cache: Cache, content: bytes, name: str = "k.mar", used: int = 0) -> str:
    """Keeps a file, used last at that many seconds."""
    digest = hashlib.sha256(content).hexdigest()
    with cache.part() as part:
        part.write_bytes(content)
        cache.keep(part, digest, name)
    path = cache.place(digest)
    assert path
    os.utime(path, (used, used))
    return digest


def files(cache: Cache) -> list[bytes]:
    return sorted(path.read_bytes() for path in (cache.folder / "files").glob("*/*"))


def parts(cache: Cache) -> list[Path]:
    return list((cache.folder / "parts").iterdir())


def test_a_file_is_kept_by_its_digest_and_name(cache: Cache) -> None:
    digest = put(cache, b"abc", "kitten.mar")
    with cache.kept(digest) as path:
        assert path
        assert (path.name, path.read_bytes()) == ("kitten.mar", b"abc")
    assert parts(cache) == []


def test_what_is_not_there_is_none(cache: Cache) -> None:
    with cache.kept("0" * 64) as path:
        assert path is None
    assert not cache.folder.exists()


def test_the_folders_are_the_users_alone(cache: Cache) -> None:
    put(cache, b"abc")
    assert {path.stat().st_mode & 0o777 for path in cache.folder.rglob("*") if path.is_dir()} == {0o700}


def test_one_content_is_kept_once(cache: Cache) -> None:
    assert put(cache, b"abc", "a.mar") == put(cache, b"abc", "b.mar")
    assert files(cache) == [b"abc"]


def test_a_damaged_file_is_deleted_and_told(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    digest = put(cache, b"abc")
    path = cache.place(digest)
    assert path
    path.write_bytes(b"abd")
    with cache.kept(digest) as found:
        assert found is None
    assert "is damaged, and is fetched again" in caplog.text
    assert files(cache) == []


def test_the_least_recently_used_go_first(cache: Cache) -> None:
    old, new = put(cache, b"o" * 400, used=1), put(cache, b"n" * 400, used=2)
    cache.make_room(200)
    assert (cache.place(old) is None, cache.place(new) is None) == (False, False)
    with cache.kept(old):
        pass  # which is a use
    cache.make_room(201)
    assert (cache.place(old) is None, cache.place(new) is None) == (False, True)


@needs_flock
def test_files_in_use_are_kept(cache: Cache) -> None:
    used, unused = put(cache, b"u" * 400, used=1), put(cache, b"n" * 400, used=2)
    with cache.kept(used):
        cache.make_room(1000)
        assert (cache.place(used) is None, cache.place(unused) is None) == (False, True)
    cache.make_room(1000)
    assert files(cache) == []
    assert list((cache.folder / "files").iterdir()) == []


@needs_flock
def test_a_file_of_the_users_cache_is_kept_by_its_path(cache: Cache) -> None:
    path = cache.place(put(cache, b"abc"))
    assert path
    with in_use(path.resolve()):
        cache.make_room(1000)
        assert path.exists()
    cache.make_room(1000)
    with pytest.raises(ArchiveError, match="does not exist any more"), in_use(path.resolve()):
        pass


def test_other_paths_are_not_locked(tmp_path: Path) -> None:
    with in_use(tmp_path / "nowhere.mar"):
        pass


def test_what_was_fetched_from_a_url_is_remembered(cache: Cache) -> None:
    digest = put(cache, b"abc")
    with cache.record("https://h/k.mar") as record:
        assert (record.version, record.digest) == (None, None)
        record.write("v1", digest)
    with cache.record("https://h/k.mar") as record:
        assert (record.version, record.digest) == ("v1", digest)
    with cache.record("https://h/other.mar") as record:
        assert record.digest is None


@pytest.mark.parametrize("content", [b"", b'{"version": "v1", "sha', b"[]", b"{}", b"\xff"])
def test_a_record_that_was_not_written_to_its_end_is_none(cache: Cache, content: bytes) -> None:
    with cache.record("u") as record:
        record.write("v1", "0" * 64)
    next((cache.folder / "urls").iterdir()).write_bytes(content)
    with cache.record("u") as record:
        assert (record.version, record.digest) == (None, None)


@needs_flock
def test_records_go_with_their_files_but_not_while_one_fetches(cache: Cache) -> None:
    with cache.record("gone") as record:
        record.write("v1", put(cache, b"abc"))
    with cache.record("fetching"):
        cache.make_room(1000)
        assert len(list((cache.folder / "urls").iterdir())) == 1
    cache.make_room(0)
    assert list((cache.folder / "urls").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ts.runner.fetching.cache import Cache
with Cache(Path(sys.argv[1]), 1000).part() as part:
    part.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@needs_flock
def test_what_a_killed_process_was_fetching_is_deleted_by_the_next(cache: Cache) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(cache.folder)])
    assert done.returncode == -signal.SIGKILL
    assert [path.read_bytes() for path in parts(cache)] == [b"half"]
    assert not (cache.folder / "files").exists()
    with cache.part() as mine, cache.part() as other:
        assert sorted(parts(cache)) == sorted([mine, other])


@needs_flock
def test_a_lock_is_of_the_file_that_lies_there_now(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with locked(path, create=True) as first, locked(path, wait=False) as second:
        assert (first, second) == (True, False)
        path.unlink()
        with locked(path, create=True, wait=False) as other:
            assert other
    with locked(path, shared=True) as first, locked(path, shared=True, wait=False) as second:
        assert (first, second) == (True, True)
    with locked(tmp_path / "nowhere") as found:
        assert not found


def test_the_environment_says_where_and_how_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "3G")
    assert users_cache() == Cache(tmp_path / "cache" / "archives", 3 << 30)
    monkeypatch.delenv("TORCHSERVE_HANDLERS_CACHE")
    monkeypatch.delenv("TORCHSERVE_HANDLERS_CACHE_SIZE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert users_cache() == Cache(tmp_path / "torchserve-handlers" / "archives", 20 << 30)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert users_cache().folder == tmp_path / "home" / ".cache" / "torchserve-handlers" / "archives"


def test_a_size_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "much")
    with pytest.raises(ArchiveError, match="TORCHSERVE_HANDLERS_CACHE_SIZE: 'much' is no number of bytes"):
        users_cache()
