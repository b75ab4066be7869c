from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from web_server import Page, WebServer

from ts.runner.errors import ArchiveError
from ts.runner.fetching.local_copy import local_copy
from ts.runner.fetching.remote import PACKAGES, version_of

from .conftest import mar

CONTENT = mar("one" * 200)


def failure(url: str) -> str:
    with pytest.raises(ArchiveError) as error, local_copy(url):
        pass
    assert error.value.__suppress_context__ or error.value.__cause__ is None  # it may hold credentials
    return str(error.value)


def kept(cache_folder: Path) -> list[Path]:
    return [*cache_folder.glob("files/*/*"), *cache_folder.glob("parts/*")]


def test_what_broke_off_is_fetched_again(web: WebServer, cache_folder: Path) -> None:
    web.pages["/k.mar"] = Page(CONTENT, sent=100, faults=2)
    with local_copy(f"{web.url}/k.mar") as copy:
        assert copy.path.read_bytes() == CONTENT
    assert web.count("GET") == 3


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "9999"}])
def test_what_breaks_off_each_time_leaves_nothing(
    web: WebServer, cache_folder: Path, headers: dict[str, str]
) -> None:
    web.pages["/k.mar"] = Page(CONTENT, '"v1"', headers, sent=100 if not headers else len(CONTENT))
    assert "cannot be fetched: the server does not answer, or broke off" in failure(f"{web.url}/k.mar")
    assert web.count("GET") == 3
    assert kept(cache_folder) == []


def test_less_than_the_size_that_was_told_is_not_whole(web: WebServer, cache_folder: Path) -> None:
    web.pages["/k.mar"] = Page(CONTENT, '"v1"', sent=100, told=500)
    assert "100 of 500 bytes came" in failure(f"{web.url}/k.mar")
    assert kept(cache_folder) == []


def test_a_body_without_an_end_is_bounded_as_it_comes(
    web: WebServer, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "6M")
    web.pages["/k.mar"] = Page(b"\0" * (64 << 20), '"v1"', {"Content-Length": ""}, sent=64 << 20)
    assert f"and at most {6 << 20} are fetched: raise TORCHSERVE_HANDLERS_CACHE_SIZE" in failure(
        f"{web.url}/k.mar"
    )
    assert web.count("GET") == 2  # fsspec asks by GET where a HEAD tells no size
    assert kept(cache_folder) == []


def test_no_room_on_the_disk_is_told(monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    MemoryFileSystem().pipe_file("/full/k.mar", CONTENT)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(MemoryFileSystem, "get_file", full)
    with pytest.raises(ArchiveError) as error, local_copy("memory://full/k.mar"):
        pass
    assert str(error.value) == (
        f"the cache {cache_folder} cannot be used: No space left on device (TORCHSERVE_HANDLERS_CACHE may name"
        " another)"
    )


def test_an_unknown_scheme_is_told() -> None:
    assert failure("foo://b/k.mar") == "foo://b/k.mar cannot be fetched: fsspec knows no foo://"
    assert failure("HTTPS://b/k.mar") == "HTTPS://b/k.mar cannot be fetched: fsspec knows no HTTPS://"


WITHOUT_PACKAGES = """
import sys
from ts.runner.errors import ArchiveError
from ts.runner.fetching.reference import Reference
from ts.runner.fetching.remote import PACKAGES, check_schemes
sys.modules.update(dict.fromkeys(PACKAGES.values()))
for scheme in PACKAGES:
    try:
        check_schemes(Reference(f"{scheme}://b/k.mar", None))
    except ArchiveError as error:
        print(error)
"""


def test_a_missing_package_is_told_with_the_command() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_PACKAGES], capture_output=True, text=True)
    assert [line.partition(" (")[0] for line in done.stdout.splitlines()] == [
        f"{scheme}:// needs a package more: pip install {package}" for scheme, package in PACKAGES.items()
    ], done.stderr


@pytest.mark.parametrize(
    ("info", "changed"),
    [
        ({"ETag": '"a"', "size": 1}, {"ETag": '"b"', "size": 1}),
        ({"Last-Modified": "a", "size": 1}, {"Last-Modified": "a", "size": 2}),
        ({"created": 1, "size": 1}, {"created": 2, "size": 1}),
    ],
)
def test_a_version_changes_with_what_the_server_says(info: dict[str, Any], changed: dict[str, Any]) -> None:
    assert version_of(info) == version_of(dict(info)) != version_of(changed)


def test_names_and_sizes_make_no_version() -> None:
    assert version_of({"name": "k", "size": 1, "type": "file", "url": "u", "mimetype": "m"}) is None
    signed = {"ETag": '"a"', "size": 1, "url": "https://h/k?signature=1"}
    assert version_of(signed) == version_of({**signed, "url": "https://h/k?signature=2"})
