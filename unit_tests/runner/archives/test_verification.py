"""`inspect --verify`: which files of an archive are not as they were packed."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
from model_archiver import ModelArchiver, ModelArchiverConfig

from ts.runner.archives.verification import verify_archive
from ts.runner.errors import ArchiveError

SUFFIXES = {"default": ".mar", "zip-store": ".mar", "tgz": ".tar.gz", "no-archive": ""}
WEIGHTS = b"weights " * 1000
MODEL = {"modelName": "net", "handler": "answer.py", "modelVersion": "1.0"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with two files to pack."""
    folder = tmp_path / "files"
    (folder / "below").mkdir(parents=True)
    (folder / "weights.pt").write_bytes(WEIGHTS)
    (folder / "below" / "words.txt").write_text("words")
    return folder


@pytest.fixture(params=list(SUFFIXES))
def archive_format(request: pytest.FixtureRequest) -> str:
    """Every archive format in turn."""
    return request.param


@pytest.fixture
def pack(files: Path, tmp_path: Path) -> Callable[[str], Path]:
    """`pack(format)` packs those files with our archiver."""

    def pack(archive_format: str) -> Path:
        ModelArchiver.generate_model_archive(
            ModelArchiverConfig(
                model_name="net",
                handler="base_handler",
                version="1.0",
                extra_files=str(files),
                archive_format=archive_format,
                export_path=str(tmp_path),
            )
        )
        return tmp_path / f"net{SUFFIXES[archive_format]}"

    return pack


Pack = Callable[[str], Path]


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., None]:
    """`change(archive, {name: new bytes, or None to take it away})`: the archive is unpacked and made anew."""

    def change(archive: Path, changes: dict[str, bytes | None]) -> None:
        folder = archive if archive.is_dir() else tmp_path / "unpacked"
        kind = "zip" if archive.suffix == ".mar" else "gztar"
        if folder != archive:
            shutil.unpack_archive(archive, folder, kind)
        root = folder / "net" if kind == "gztar" and folder != archive else folder
        for name, content in changes.items():
            if content is None:
                (root / name).unlink()
            else:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(content)
        if folder != archive:
            shutil.move(shutil.make_archive(str(tmp_path / "changed"), kind, folder), archive)

    return change


def write_manifest(folder: Path, **manifest: Any) -> Path:
    (folder / "MAR-INF").mkdir()
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": MODEL, **manifest}))
    return folder


def test_an_archive_as_packed_is_verified(pack: Pack, archive_format: str) -> None:
    verification = verify_archive(pack(archive_format))
    assert verification.verified
    assert (verification.compared, verification.problems) == (2, {})


def test_a_file_that_differs_is_named(pack: Pack, change: Any, archive_format: str) -> None:
    archive = pack(archive_format)
    change(archive, {"weights.pt": WEIGHTS[:-1] + b"!"})
    assert verify_archive(archive).problems == {"weights.pt": "differs from the manifest's sha256"}


def test_a_file_that_is_missing_is_named(pack: Pack, change: Any, archive_format: str) -> None:
    archive = pack(archive_format)
    change(archive, {"below/words.txt": None})
    assert verify_archive(archive).problems == {"below/words.txt": "is missing"}


def test_a_file_that_was_added_is_named(pack: Pack, change: Any, archive_format: str) -> None:
    archive = pack(archive_format)
    change(archive, {"below/sitecustomize.py": b"print()"})
    assert verify_archive(archive).problems == {"below/sitecustomize.py": "is not in the manifest"}


def test_what_a_server_leaves_in_a_folder_is_passed_over(pack: Pack) -> None:
    folder = pack("no-archive")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "answer.cpython-311.pyc").write_bytes(b"compiled")
    assert verify_archive(folder).verified


@pytest.mark.parametrize("archive_format", ["default", "zip-store"])
def test_a_damaged_zip_names_the_file(pack: Pack, archive_format: str) -> None:
    archive = pack(archive_format)
    with zipfile.ZipFile(archive) as file:
        info = file.getinfo("weights.pt")
    damaged = bytearray(archive.read_bytes())
    damaged[info.header_offset + 30 + len("weights.pt") + info.compress_size // 2] ^= 1
    archive.write_bytes(damaged)
    assert verify_archive(archive).problems == {"weights.pt": "cannot be read"}


def test_a_damaged_byte_in_a_tar_names_the_file(pack: Pack) -> None:
    archive = pack("tgz")
    archive.write_bytes(
        gzip.compress(gzip.decompress(archive.read_bytes()).replace(b"ts weig", b"ts Weig", 1))
    )
    assert verify_archive(archive).problems == {"weights.pt": "differs from the manifest's sha256"}


def test_a_tar_that_ends_early_names_what_is_lost(pack: Pack, tmp_path: Path) -> None:
    manifest_first = tmp_path / "first.tar.gz"
    with tarfile.open(pack("tgz")) as source, tarfile.open(manifest_first, "w:gz", compresslevel=0) as target:
        for member in reversed(source.getmembers()):
            target.addfile(member, source.extractfile(member))
    whole = manifest_first.read_bytes()
    manifest_first.write_bytes(whole[: whole.index(WEIGHTS) + len(WEIGHTS) // 2])
    assert verify_archive(manifest_first).problems == {
        "below/words.txt": "cannot be read",
        "weights.pt": "cannot be read",
    }


def test_an_archive_without_digests_is_not_verified(tmp_path: Path) -> None:
    verification = verify_archive(write_manifest(tmp_path))
    assert not verification.verified
    assert (verification.compared, verification.problems) == (0, {})


def test_a_file_of_the_manifests_name_below_is_a_file_like_others(pack: Pack, files: Path) -> None:
    write_manifest(files / "below")
    assert verify_archive(pack("default")).compared == 3


@pytest.mark.parametrize("name", ["absent.pt", "../../outside", "/etc/hostname"])
def test_nothing_outside_of_a_folder_is_read(tmp_path: Path, name: str) -> None:
    folder = write_manifest(tmp_path, sha256={name: "0" * 64})
    assert verify_archive(folder).problems == {name: "is missing"}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "does not exist"),
        (lambda path: path.write_text("no archive"), "neither a zip"),
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "cannot be read"),
    ],
)
def test_what_cannot_be_told_is_one_error(pack: Pack, damage: Callable[[Path], None], message: str) -> None:
    archive = pack("tgz")
    damage(archive)
    with pytest.raises(ArchiveError, match=message):
        verify_archive(archive)


def test_an_archive_without_a_manifest_is_none(pack: Pack, change: Any, archive_format: str) -> None:
    archive = pack(archive_format)
    change(archive, {"MAR-INF/MANIFEST.json": None})
    with pytest.raises(ArchiveError, match=r"is no model archive: it has no MAR-INF/MANIFEST\.json"):
        verify_archive(archive)


def test_a_name_that_is_there_twice_is_refused(pack: Pack) -> None:
    archive = pack("default")
    with zipfile.ZipFile(archive, "a") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("weights.pt", WEIGHTS)
    with pytest.raises(ArchiveError, match=r"holds 'weights\.pt' twice"):
        verify_archive(archive)


def test_digests_must_be_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="sha256 is not a mapping"):
        verify_archive(write_manifest(tmp_path, sha256=["x"]))


def inspect(archive: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ts.runner", "inspect", archive.name, *options]
    return subprocess.run(command, cwd=archive.parent, capture_output=True, text=True)


def test_the_command_says_in_one_line_that_all_is_well(pack: Pack) -> None:
    done = inspect(pack("default"), "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "net.mar: 2 files are as the manifest's sha256 says\n"


def test_the_command_names_each_file_that_is_not(pack: Pack, change: Any) -> None:
    archive = pack("tgz")
    change(archive, {"weights.pt": b"other", "below/words.txt": None})
    done = inspect(archive, "--verify")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "net.tar.gz: 2 files are not as packed\n"
        "  below/words.txt is missing\n"
        "  weights.pt differs from the manifest's sha256\n"
    )


def test_the_command_says_that_there_are_no_digests(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    done = inspect(write_manifest(tmp_path / "old"), "--verify")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "old: nothing to verify, for its manifest has no sha256 "
        "(torch-model-archiver 0.12 writes none; pack it again to have them)\n"
    )


def test_the_command_says_it_in_json(pack: Pack) -> None:
    folder = pack("no-archive")
    assert json.loads(inspect(folder, "--verify", "--json").stdout) == {
        "archive": "net",
        "verified": True,
        "compared": 2,
        "problems": {},
    }
    (folder / "weights.pt").write_text("other")
    done = inspect(folder, "--verify", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"] == {"weights.pt": "differs from the manifest's sha256"}


def test_without_verify_the_command_shows_what_differs_and_succeeds(pack: Pack) -> None:
    folder = pack("no-archive")
    (folder / "weights.pt").write_text("other")
    done = inspect(folder, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["damaged"] == ["weights.pt"]
