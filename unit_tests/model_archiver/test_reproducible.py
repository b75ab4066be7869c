"""Same input, same bytes."""

from __future__ import annotations

import os
import re
import shutil
import time

import pytest
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.reproducible import EARLIEST, LATEST, creation_time, member_time


def snapshot(path):
    """Everything that two runs could differ in: bytes, and of a folder the times and permissions too."""
    if path.is_file():
        return path.read_bytes()
    paths = sorted([path, *path.rglob("*")])
    return [
        (str(item.relative_to(path)), oct(item.stat().st_mode), item.stat().st_mtime_ns)
        + ((item.read_bytes(),) if item.is_file() else ())
        for item in paths
    ]


@pytest.fixture
def pack_all(pack):
    return lambda **options: snapshot(
        pack(serialized_file="weights.pt", extra_files="extra", force=True, **options)
    )


def test_with_source_date_epoch_two_runs_are_identical(pack_all, inputs, monkeypatch, archive_format):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000001")
    first = pack_all(archive_format=archive_format)
    for path in sorted(inputs.rglob("*")):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o600)
    shutil.copytree(inputs / "extra", inputs / "copy")  # in another order, perhaps
    shutil.rmtree(inputs / "extra")
    (inputs / "copy").rename(inputs / "extra")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    before = os.umask(0o077)
    try:
        assert pack_all(archive_format=archive_format) == first
    finally:
        os.umask(before)
        monkeypatch.delenv("TZ")
        time.tzset()


def test_the_order_of_the_options_does_not_matter(pack, inputs, monkeypatch, archive_format):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000001")
    one, other = (
        snapshot(pack(extra_files=files, force=True, archive_format=archive_format))
        for files in ("extra,net.py", "net.py,extra")
    )
    assert one == other


def test_without_it_only_created_on_differs(pack_all, monkeypatch):
    moments = iter(["01/01/2030 00:00:00", "02/02/2031 11:11:11"])
    monkeypatch.setattr("model_archiver.manifest_components.manifest.creation_time", lambda: next(moments))
    one, other = (pack_all(archive_format="zip-store") for _ in range(2))
    assert one != other
    assert b"02/02/2031 11:11:11" in other
    crc_and_date = re.compile(
        rb"PK\x03\x04.{10}.{4}(?=.{12}MAR-INF)|PK\x01\x02.{12}.{4}(?=.{26}MAR-INF)|[\d/]{10} [\d:]{8}",
        re.DOTALL,
    )
    assert crc_and_date.sub(b"", one) == crc_and_date.sub(b"", other)


def test_without_it_times_are_not_the_clocks(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert member_time() == EARLIEST
    assert time.gmtime(EARLIEST)[:6] == (1980, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ("0", EARLIEST),
        ("1700000000", 1_700_000_000),
        ("9999999999", LATEST),
        ("-5", EARLIEST),
        ("", EARLIEST),
    ],
)
def test_member_times_are_what_a_zip_file_can_hold(monkeypatch, seconds, expected):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
    assert member_time() == expected
    assert time.gmtime(LATEST)[:6] == (2107, 12, 31, 23, 59, 58)


def test_created_on_is_source_date_epoch_in_utc(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert creation_time() == "14/11/2023 22:13:20"


@pytest.mark.parametrize("text", ["yesterday", "1.5", "1" * 40])
def test_a_source_date_epoch_that_is_no_number_is_named(monkeypatch, text):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(
        ModelArchiverError, match=f"SOURCE_DATE_EPOCH is '{text}', which is no number of seconds"
    ):
        creation_time()


def test_another_process_writes_the_same_bytes(pack_all, cli, inputs, monkeypatch, environment):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000001")
    environment.update(SOURCE_DATE_EPOCH="1700000001", PYTHONHASHSEED="123")
    arguments = [
        "--model-name",
        "net",
        "-v",
        "1.0",
        "--handler",
        "answer.py",
        "--serialized-file",
        "weights.pt",
    ]
    assert cli(*arguments, "--extra-files", "extra").returncode == 0
    assert (inputs / "net.mar").read_bytes() == pack_all()
