"""A folder behind an s3:// URL, of moto's S3, a server of its own in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.batch.answerer import AnswererOptions, FileAnswerer
from ts.runner.batch.listing import list_files
from ts.runner.batch.question import Question
from ts.runner.serving.settings import serving_settings

pytest.importorskip("s3fs")
botocore_session = pytest.importorskip("botocore.session")
moto_server = pytest.importorskip("moto.server")

KEYS = {"in/b.txt": b"b", "in/a/ä c+#?.txt": b"a", "in/.hidden/x": b"no", "inner/x": b"no"}


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that holds the keys in its bucket `files`."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    settings = {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://{}:{}".format(*server.get_host_and_port()),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    client = botocore_session.Session().create_client("s3")
    client.create_bucket(Bucket="files")
    for key, body in KEYS.items():
        client.put_object(Bucket="files", Key=key, Body=body)
    try:
        yield client
    finally:
        server.stop()


def test_its_files_are_listed_and_answered(s3: Any, archive: Callable[..., Path]) -> None:
    found = sorted(list_files(["s3://files/in"]))
    assert found == ["s3://files/in/a/ä c+#?.txt", "s3://files/in/b.txt"]
    s3.delete_object(Bucket="files", Key="in/b.txt")
    path = archive(batchSize=2)
    with open_archive(path) as opened:
        settings = serving_settings(opened)
    answerer = FileAnswerer(AnswererOptions(str(path), settings, Question(), device="cpu"))
    try:
        (rows,) = answerer.answer(found)
    finally:
        answerer.close()
    assert [row.status for row in rows] == [200, 404]
    assert json.loads(rows[0].content)["said"] == "a"
