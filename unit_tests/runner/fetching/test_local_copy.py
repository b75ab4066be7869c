from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Optional

import fsspec
import pytest
from web_server import Page, WebServer, web_server

from ts.runner.archives.archive import open_archive
from ts.runner.archives.verification import verify_archive
from ts.runner.errors import ArchiveError
from ts.runner.fetching import local_copy as module
from ts.runner.fetching.cache import Cache
from ts.runner.fetching.local_copy import local_copy

from .conftest import mar

CONTENT, OTHER = mar("one"), mar("two")
DIGEST, OTHER_DIGEST = (hashlib.sha256(content).hexdigest() for content in (CONTENT, OTHER))


def opened(archive: str, max_size: Optional[int] = None) -> bytes:
    with local_copy(archive, max_size=max_size) as copy:
        return copy.path.read_bytes()


def failure(archive: str, max_size: Optional[int] = None) -> str:
    with pytest.raises(ArchiveError) as error, local_copy(archive, max_size=max_size):
        pass
    return str(error.value)


def kept(cache_folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in cache_folder.glob("files/*/*"))


@pytest.fixture
def url(web: WebServer) -> str:
    """An archive with an ETag, as /tiny.mar."""
    web.pages["/tiny.mar"] = Page(CONTENT, '"v1"')
    return f"{web.url}/tiny.mar"


# Paths ---------------------------------------------------------------------------------------------------------


def test_a_path_is_used_where_it_is(tmp_path: Path, cache_folder: Path) -> None:
    path = tmp_path / "tiny.mar"
    path.write_bytes(CONTENT)
    for name in (str(path), f"{path}@sha256:{DIGEST}", path.as_uri(), f"{path.as_uri()}@sha256:{DIGEST}"):
        with local_copy(name) as copy:
            assert copy.path == path
            assert copy.pinned == str(path) + (f"@sha256:{DIGEST}" if "@" in name else "")
    assert not cache_folder.exists()


def test_another_content_than_the_pinned_one_is_refused_with_both_digests(tmp_path: Path) -> None:
    path = tmp_path / "tiny.mar"
    path.write_bytes(OTHER)
    assert failure(f"{path}@sha256:{DIGEST}") == (
        f"{path} is not the archive that is pinned: its sha256 is {OTHER_DIGEST}, not {DIGEST}"
    )


def test_folders_have_no_digest(tmp_path: Path) -> None:
    assert "is a folder, and only a file can be pinned" in failure(f"{tmp_path}@sha256:{DIGEST}")


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    assert failure(f"{tmp_path}/no.mar@sha256:{DIGEST}") == f"{tmp_path}/no.mar does not exist"
    assert failure(f"file://{tmp_path}/no.mar") == f"{tmp_path}/no.mar does not exist"


def test_a_url_that_was_made_a_path_is_told() -> None:
    with pytest.raises(ArchiveError, match="a URL must be a text, and no Path"), local_copy(Path("s3://b/k")):
        pass


# What is fetched, and when ---------------------------------------------------------------------------------------


def test_a_file_is_fetched_once_as_long_as_the_server_has_the_same(web: WebServer, url: str) -> None:
    assert [opened(url), opened(url), opened(url)] == [CONTENT] * 3
    assert (web.count("HEAD"), web.count("GET")) == (3, 1)
    web.pages["/tiny.mar"] = Page(OTHER, '"v2"')
    assert [opened(url), opened(url)] == [OTHER] * 2
    assert web.count("GET") == 2


def test_a_time_of_change_stands_in_for_a_tag(web: WebServer, url: str) -> None:
    page = web.pages["/tiny.mar"] = Page(CONTENT, headers={"Last-Modified": "Wed, 25 Nov 2026 10:00:00 GMT"})
    assert [opened(url), opened(url)] == [CONTENT] * 2
    assert web.count("GET") == 1
    page.headers["Last-Modified"] = "Wed, 25 Nov 2026 10:00:01 GMT"
    opened(url)
    assert web.count("GET") == 2


def test_without_either_it_is_fetched_each_time_and_kept_once(
    web: WebServer, url: str, cache_folder: Path
) -> None:
    web.pages["/tiny.mar"] = Page(CONTENT)
    assert [opened(url), opened(url)] == [CONTENT] * 2
    assert web.count("GET") == 2
    assert kept(cache_folder) == [CONTENT]


def test_a_pinned_file_that_is_there_asks_no_server(web: WebServer, url: str) -> None:
    opened(url)
    web.asked.clear()
    assert opened(f"{url}@sha256:{DIGEST}") == CONTENT
    assert opened(f"s3://nowhere/k.mar@sha256:{DIGEST}") == CONTENT
    assert web.asked == []


def test_a_pin_takes_no_other_content(web: WebServer, url: str, cache_folder: Path) -> None:
    assert failure(f"{url}@sha256:{OTHER_DIGEST}") == (
        f"{url} is not the archive that is pinned: its sha256 is {DIGEST}, not {OTHER_DIGEST}"
    )
    assert kept(cache_folder) == []
    web.pages["/tiny.mar"] = Page(OTHER, '"v2"')
    assert opened(f"{url}@sha256:{OTHER_DIGEST.upper()}") == OTHER


def test_the_log_tells_the_digest(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ts.runner.fetching"):
        opened(url)
    assert caplog.messages == [
        f"fetching {url} ({len(CONTENT)} bytes)",
        f"fetched {url}, which @sha256:{DIGEST} pins",
    ]


def test_a_damaged_file_of_the_cache_is_fetched_again(web: WebServer, url: str, cache_folder: Path) -> None:
    opened(url)
    next(cache_folder.glob("files/*/*")).write_bytes(CONTENT[:-1])
    assert opened(url) == CONTENT
    assert web.count("GET") == 2


def test_other_schemes_are_fetched_alike(cache_folder: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/tiny.mar", CONTENT)
    assert opened("memory://bucket/tiny.mar") == CONTENT
    memory.pipe_file("/bucket/tiny.mar", OTHER)
    assert opened("memory://bucket/tiny.mar") == OTHER
    assert kept(cache_folder) == sorted([CONTENT, OTHER])
    assert failure("memory://bucket") == "memory://bucket is a folder: only files (.mar, .tar.gz) are fetched"


# A server that is gone -------------------------------------------------------------------------------------------


def test_without_an_answer_the_file_fetched_before_is_used_with_a_warning(
    web: WebServer, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    opened(url)
    web.pages["/tiny.mar"] = Page(status=503)
    assert opened(url) == CONTENT
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        f"{url} cannot be fetched: the server is in trouble (503); what was fetched before is used, sha256"
        f" {DIGEST}"
    ]


def test_a_server_that_does_not_listen_is_no_answer() -> None:
    with web_server() as server:
        server.pages["/tiny.mar"] = Page(CONTENT, '"v1"')
        opened(f"{server.url}/tiny.mar")
    assert opened(f"{server.url}/tiny.mar") == CONTENT
    assert "the server does not answer, or broke off" in failure(f"{server.url}/other.mar")


@pytest.mark.parametrize(("status", "reason"), [(404, "the server has no such file (404)"), (403, "(403)")])
def test_an_answer_that_is_a_no_is_an_error_though_it_was_fetched_before(
    web: WebServer, url: str, status: int, reason: str
) -> None:
    opened(url)
    web.pages["/tiny.mar"] = Page(status=status)
    assert reason in failure(url)


# Limits ----------------------------------------------------------------------------------------------------------


def test_a_file_larger_than_the_cache_is_not_asked_for(
    web: WebServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", str(len(CONTENT) - 1))
    assert failure(url) == (
        f"{url} has {len(CONTENT)} bytes or more, and at most {len(CONTENT) - 1} are fetched: raise"
        " TORCHSERVE_HANDLERS_CACHE_SIZE"
    )
    assert web.count("GET") == 0


def test_a_max_size_bounds_what_is_fetched(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEADERS", 10)
    assert opened(url, max_size=len(CONTENT) - 10) == CONTENT
    monkeypatch.setattr(module, "HEADERS", 9)
    assert failure(f"{url}?again", max_size=len(CONTENT) - 10).endswith(
        f"at most {len(CONTENT) - 1} are fetched: if you trust it, give a larger --max-size or, in Python,"
        " max_size"
    )


def test_others_make_room_and_those_in_use_stay(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "2500")
    for name in "abc":
        web.pages[f"/{name}"] = Page(name.encode() * 1000, f'"{name}"')
    with local_copy(f"{web.url}/a") as first:
        opened(f"{web.url}/b")
        opened(f"{web.url}/c")
        assert first.path.exists()
    assert kept(cache_folder) == [b"a" * 1000, b"c" * 1000]
    assert len(list(cache_folder.glob("urls/*"))) == 2


# Trust and places ------------------------------------------------------------------------------------------------


def test_what_anybody_can_exchange_on_the_way_must_be_pinned() -> None:
    for url in ("http://example.invalid/k.mar", "simplecache::http://example.invalid/k.mar"):
        assert failure(url) == (
            f"{url} holds code, and comes by a way on which anybody can exchange it: use https://, or pin it with"
            " @sha256:DIGEST"
        )
    assert "the server does not answer" in failure(f"http://127.0.0.1:9/k.mar@sha256:{DIGEST}")


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "file"))
    assert failure(url) == (
        f"the cache {tmp_path}/file/archives cannot be used: Not a directory (TORCHSERVE_HANDLERS_CACHE may name"
        " another)"
    )


def test_a_cache_that_others_empty_at_once_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Cache.keep

    def keep_and_lose(cache: Cache, part: Path, digest: str, name: str) -> None:
        keep(cache, part, digest, name)
        path = cache.place(digest)
        assert path
        path.unlink()

    monkeypatch.setattr(Cache, "keep", keep_and_lose)
    assert "does not stay in the cache" in failure(url)
    assert "raise TORCHSERVE_HANDLERS_CACHE_SIZE" in failure(url)


def test_messages_about_an_archive_name_its_url(web: WebServer) -> None:
    web.pages["/tiny.mar"] = Page(b"no archive", '"v1"')
    url = web.url.replace("//", "//user:secret@") + "/tiny.mar?secret"
    for open_it in (lambda: open_archive(url).__enter__(), lambda: verify_archive(url)):
        with pytest.raises(ArchiveError) as error:
            open_it()
        assert str(error.value).startswith(f"{web.url}/tiny.mar?... is no model archive: it is neither a zip")


def test_an_archive_knows_where_it_came_from(url: str, cache_folder: Path) -> None:
    with open_archive(url) as archive:
        assert archive.origin == url
        assert archive.source == cache_folder / "files" / DIGEST / "tiny.mar"
        assert archive.name == "tiny"
        assert archive.pinned == f"{url}@sha256:{DIGEST}"
