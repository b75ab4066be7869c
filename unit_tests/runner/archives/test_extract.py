from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from other_process import run

from ts.runner.archives.archive import open_archive
from ts.runner.archives.extract import extract
from ts.runner.archives.limits import Limits
from ts.runner.errors import ArchiveError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inner" / "unpacked"
    path.mkdir(parents=True)
    return path


def tar_with(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


@pytest.mark.parametrize(
    "name", ["../escaped", "/escaped", "a/../../escaped", "..\\escaped", "C:\\escaped", "C:escaped", "a\\b"]
)
def test_a_name_that_points_outside_is_refused(tmp_path: Path, folder: Path, name: str) -> None:
    path = tmp_path / "evil.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ArchiveError, match="points outside"):
        extract(path, folder)
    assert not list(tmp_path.rglob("*escaped*"))


def test_two_names_that_differ_in_case_are_refused(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "evil.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("handler.py", "x")
        archive.writestr("Handler.py", "y")
    with pytest.raises(ArchiveError, match=r"holds 'Handler\.py' twice"):
        extract(path, folder)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "evil.mar"
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ArchiveError, match="neither a file nor a folder"):
        extract(path, folder)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_that_leaves_a_tar_is_refused(tmp_path: Path, folder: Path, kind: bytes) -> None:
    path = tar_with(tmp_path / "evil.tar.gz", link("weights.pt", "../../../etc/passwd", kind))
    with pytest.raises(ArchiveError, match=r"a link to '\.\./\.\./\.\./etc/passwd' outside the archive"):
        extract(path, folder)


def test_a_link_inside_a_tar_becomes_a_copy(tmp_path: Path, folder: Path) -> None:
    path = tar_with(
        tmp_path / "a.tar.gz", (tarfile.TarInfo("weights.pt"), b"numbers"), link("best.pt", "weights.pt")
    )
    extract(path, folder)
    assert (folder / "best.pt").read_bytes() == b"numbers"
    assert not (folder / "best.pt").is_symlink()


def test_a_device_in_a_tar_is_refused(tmp_path: Path, folder: Path) -> None:
    device = tarfile.TarInfo("null")
    device.type = tarfile.CHRTYPE
    with pytest.raises(ArchiveError, match="neither a file nor a folder"):
        extract(tar_with(tmp_path / "evil.tar.gz", (device, b"")), folder)


def test_a_damaged_zip_is_named(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "damaged.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights.pt", b"numbers" * 100)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"numbers", b"nonsens", 1))
    with pytest.raises(ArchiveError, match=r"damaged\.mar cannot be unpacked: Bad CRC-32"):
        extract(path, folder)


def test_a_truncated_tar_is_named(tmp_path: Path, folder: Path) -> None:
    path = tar_with(tmp_path / "short.tar.gz", (tarfile.TarInfo("weights.pt"), bytes(range(256)) * 999))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ArchiveError, match=r"short\.tar\.gz"):
        extract(path, folder)


def test_another_kind_of_file_is_no_archive(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "photo.mar"
    path.write_bytes(b"\xff\xd8\xff\xe0 a photo")
    with pytest.raises(ArchiveError, match=r"neither a zip \(\.mar\), a tar \(\.tar\.gz\) nor a folder"):
        extract(path, folder)


def test_a_tar_that_holds_a_zip_is_a_tar(tmp_path: Path, folder: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x", "x")
    path = tmp_path / "plain.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("inner.zip")
        info.size = len(inner.getvalue())
        archive.addfile(info, io.BytesIO(inner.getvalue()))
    extract(path, folder)
    assert [entry.name for entry in folder.iterdir()] == ["inner.zip"]


def test_an_archive_may_grow_by_50_times_and_to_256_mb(tmp_path: Path) -> None:
    path = tmp_path / "small.mar"
    path.write_bytes(b"x")
    assert Limits(path).most == 256 * 1024 * 1024
    os.truncate(path, 1 << 30)  # a sparse file, which takes no room
    assert Limits(path).most == 50 * (1 << 30)
    assert Limits(path, 7).most == 7


def test_a_full_disk_is_one_sentence(tmp_path: Path, folder: Path) -> None:
    """The child may write files of 1 MB at most: to the system a kind of full disk."""
    path = tmp_path / "large.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights.pt", bytes(range(256)) * 8192)
    said = run(LIMITED, {"path": str(path), "folder": str(folder)}, tmp_path)
    assert said == f"{path} cannot be unpacked into {folder}: File too large (TMPDIR may name another folder)"


LIMITED = """
import resource
from pathlib import Path
from ts.runner.archives.extract import extract
from ts.runner.errors import ArchiveError

resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    extract(Path(arguments["path"]), Path(arguments["folder"]))
except ArchiveError as error:
    answer(str(error))
"""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_where_nothing_can_be_written_it_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: str
) -> None:
    path = tmp_path / "a.mar"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights.pt", "numbers")
    else:
        tar_with(path, (tarfile.TarInfo("weights.pt"), b"numbers"))
    (tmp_path / "t").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))

    def copyfileobj(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(shutil, "copyfileobj", copyfileobj)
    with pytest.raises(ArchiveError) as raised, open_archive(path):
        pass
    assert f"a.mar cannot be unpacked into {tmp_path / 't'}" in str(raised.value)
    assert str(raised.value).endswith(f"/f: {os.strerror(number)} (TMPDIR may name another folder)")
    assert list((tmp_path / "t").iterdir()) == []
