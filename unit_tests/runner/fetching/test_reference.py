from __future__ import annotations

from pathlib import Path

import pytest

from ts.runner.errors import ArchiveError
from ts.runner.fetching.reference import (
    Reference,
    cleaned,
    is_lost_url,
    is_open,
    read_reference,
    without_credentials,
)

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "place", ["kitten.mar", "/a/b@c.mar", "s3://bucket/kitten.mar", "https://h/x.mar?a=b"]
)
def test_a_pin_is_what_comes_after_the_last_at_sha256(place: str) -> None:
    assert read_reference(place) == Reference(place, None)
    assert read_reference(f"{place}@sha256:{DIGEST.upper()}") == Reference(place, DIGEST)
    assert read_reference(Path(f"kitten.mar@sha256:{DIGEST}")) == Reference("kitten.mar", DIGEST)
    assert read_reference(Reference(place, None).pinned(DIGEST)) == Reference(place, DIGEST)


@pytest.mark.parametrize("digest", ["", "abc", DIGEST[1:], DIGEST + "0", "g" * 64, DIGEST + "\n"])
def test_a_pin_that_is_no_sha256_is_no_part_of_a_name(digest: str) -> None:
    with pytest.raises(ArchiveError, match="a pin is @sha256: and 64 digits of hex"):
        read_reference(f"kitten.mar@sha256:{digest}")


@pytest.mark.parametrize(
    ("text", "is_url"),
    [
        ("s3://b/k.mar", True),
        ("zip://k.mar::https://h/x.zip", True),
        ("simplecache::s3://b/k", True),
        ("k.mar", False),
        ("/a/b.mar", False),
        (r"C:\models\k.mar", False),
        ("a:b.mar", False),
    ],
)
def test_a_url_has_a_scheme(text: str, is_url: bool) -> None:
    assert Reference(text, None).is_url is is_url


def test_a_url_that_was_made_a_path_is_seen() -> None:
    assert is_lost_url(Path("https://h/x.mar"))
    assert not is_lost_url("https://h/x.mar")
    assert not is_lost_url(Path("C:/x.mar"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://h:8/a/k.mar", "https://h:8/a/k.mar"),
        ("https://user:secret@h/k.mar", "https://h/k.mar"),
        ("https://secret@h:8/k/k.mar", "https://h:8/k/k.mar"),
        ("https://h/k@1/k.mar", "https://h/k@1/k.mar"),
        ("https://h/k.mar?X-Amz-Signature=secret#secret", "https://h/k.mar?..."),
        ("https://user:sec/ret@h/k.mar", "https://..."),
        ("https://user:1/secret@h/k.mar", "https://..."),
        ("https://user:secret@[h/k.mar", "https://..."),
        ("s3://key:secret@bucket/k.mar", "s3://bucket/k.mar"),
        ("hf://org/repo@main/k.mar", "hf://org/repo@main/k.mar"),
        (
            "abfs://container@account.dfs.core.windows.net/k.mar",
            "abfs://container@account.dfs.core.windows.net/k.mar",
        ),
        ("abfs://user:secret@account/k.mar", "abfs://account/k.mar"),
        ("zip://k.mar::https://user:secret@h/x.zip?secret", "zip://k.mar::https://h/x.zip?..."),
        ("http://user:secret@[::1]:8/k.mar?secret", "http://...::1]:8/k.mar"),
    ],
)
def test_urls_are_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
    assert "secret" not in str(Reference(url, None))
    assert cleaned(f"403, url='{url}'!").startswith("403, url='")
    assert "secret" not in cleaned(f"403, url='{url}'!")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com/k.mar", True),
        ("HTTP://example.com/k.mar", True),
        ("http://127.0.0.1@example.com/k.mar", True),
        ("http://localhost.example.com/", True),
        ("http://example.com:99999/k.mar", True),
        ("ftp://example.com/k.mar", True),
        ("https://example.com/k.mar", False),
        ("http://localhost:8/k.mar", False),
        ("http://127.0.0.9/k.mar", False),
        ("s3://bucket/k.mar", False),
    ],
)
def test_what_comes_without_tls_from_elsewhere_is_open(url: str, expected: bool) -> None:
    assert is_open(url) is expected


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket/models/kitten.mar", "kitten.mar"),
        ("https://user:secret@h/kitten.tar.gz?v=1/2", "kitten.tar.gz"),
        ("https://user:secret@h", "archive"),
        ("https://h/%2e%2e%2f..", "archive"),
        ("https://h/a%2fb%00c d.mar", "b_c_d.mar"),
        ("https://h/" + "x" * 500 + ".mar", "x" * 96 + ".mar"),
        ("zip://in/side.mar::https://h/x.zip", "side.mar"),
    ],
)
def test_a_file_is_named_as_its_url_ends(url: str, name: str) -> None:
    assert Reference(url, None).file_name == name
