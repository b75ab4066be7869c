"""Against moto's S3, a server of its own in this process, by way of s3fs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from ts.runner.archives.archive import open_archive
from ts.runner.errors import ArchiveError
from ts.runner.fetching.local_copy import local_copy

from .conftest import mar

pytest.importorskip("s3fs")
botocore_session = pytest.importorskip("botocore.session")
moto_server = pytest.importorskip("moto.server")

CONTENT = mar("one")
SECRET = "the-secret-key-of-a-test"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.fixture
def s3(s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a server that holds s3://models/tiny.mar, to which the environment has the key."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_url)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    requests.post(f"{s3_url}/moto-api/reset").raise_for_status()
    client = botocore_session.Session().create_client("s3")
    client.create_bucket(Bucket="models")
    client.put_object(Bucket="models", Key="a/tiny.mar", Body=CONTENT)
    return client


def opened(url: str) -> bytes:
    with local_copy(url) as copy:
        return copy.path.read_bytes()


def failure(url: str) -> str:
    with pytest.raises(ArchiveError) as error:
        opened(url)
    assert SECRET not in str(error.value)
    return str(error.value)


def test_an_archive_is_fetched_and_known_by_its_tag(s3: Any, cache_folder: Path) -> None:
    with open_archive("s3://models/a/tiny.mar") as archive:
        assert (archive.name, archive.origin) == ("tiny", "s3://models/a/tiny.mar")
    kept = next(cache_folder.glob("files/*/tiny.mar"))
    before = kept.stat().st_ino
    assert opened("s3://models/a/tiny.mar") == CONTENT
    assert kept.stat().st_ino == before
    s3.put_object(Bucket="models", Key="a/tiny.mar", Body=mar("two"))
    assert opened("s3://models/a/tiny.mar") == mar("two")


def test_a_large_file_arrives_whole(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytes(range(256)) * 48 * 1024  # 12 MiB, in three parts side by side
    monkeypatch.setenv("FSSPEC_S3_DEFAULT_BLOCK_SIZE", str(5 << 20))
    s3.put_object(Bucket="models", Key="large", Body=content)
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "12M")
    assert opened("s3://models/large") == content
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE_SIZE", "11M")
    s3.put_object(Bucket="models", Key="large", Body=content + b"!")
    assert "raise TORCHSERVE_HANDLERS_CACHE_SIZE" in failure("s3://models/large")


def test_what_is_not_there_is_told(s3: Any) -> None:
    prefix = "cannot be fetched: there is no such"
    assert failure("s3://models/no.mar") == f"s3://models/no.mar {prefix} file"
    assert failure("s3://missing/no.mar") == f"s3://missing/no.mar {prefix} bucket"
    assert failure("s3://models/a") == "s3://models/a is a folder: only files (.mar, .tar.gz) are fetched"


def test_without_credentials_it_says_so(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    message = "s3://models/a/tiny.mar cannot be fetched: there are no credentials for it"
    assert failure("s3://models/a/tiny.mar") == message


def test_a_key_that_the_server_refuses_is_told(s3: Any, s3_url: str) -> None:
    reset = f"{s3_url}/moto-api/reset-auth"
    requests.post(reset, data=b"0").raise_for_status()  # from now on, the server looks at the key
    try:
        assert failure("s3://models/a/tiny.mar") == (
            "s3://models/a/tiny.mar cannot be fetched: access is denied (403)"
        )
    finally:
        requests.post(reset, data=b"Infinity").raise_for_status()
