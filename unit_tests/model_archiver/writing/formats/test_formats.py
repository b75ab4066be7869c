"""The four archive formats."""

from __future__ import annotations

import random
import shutil
import stat
import struct
import subprocess
import tarfile
import zipfile

import pytest
from model_archiver.arg_parser import ARCHIVE_FORMATS
from model_archiver.writing.formats import FORMATS

NOISE = random.Random(7).randbytes(1 << 20)

JAVA_READER = """
import java.io.*;
import java.util.zip.*;

class Reader {
    public static void main(String[] arguments) throws IOException {
        try (ZipInputStream zip = new ZipInputStream(new FileInputStream(arguments[0]))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry())
                System.out.println(entry.getName() + " " + zip.readAllBytes().length);
        }
    }
}
"""


@pytest.fixture(scope="module")
def java_reader(tmp_path_factory):
    """The folder with the compiled reader."""
    if not shutil.which("javac"):
        pytest.skip("needs a JDK")
    folder = tmp_path_factory.mktemp("java")
    (folder / "Reader.java").write_text(JAVA_READER)
    subprocess.run(["javac", "Reader.java"], cwd=folder, check=True)
    return folder


@pytest.fixture
def java_sizes(java_reader):
    """The sizes of a zip file's members as Java's stream reader finds them."""

    def read(path):
        encoding = ["-Dstdout.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8"]
        command = ["java", "-cp", java_reader, *encoding, "Reader", path]
        lines = subprocess.run(command, capture_output=True, check=True).stdout.decode().splitlines()
        return {name: int(size) for name, _, size in (line.rpartition(" ") for line in lines)}

    return read


def local_header_flags(archive, info):
    """The flags in front of a member's content (APPNOTE.TXT 4.3.7)."""
    with archive.open("rb") as file:
        file.seek(info.header_offset)
        return struct.unpack("<4sHHHHHLLLHH", file.read(30))[2]


def test_the_command_line_offers_each_format():
    assert tuple(FORMATS) == ARCHIVE_FORMATS


def test_each_format_holds_every_file_whole(pack, inputs, contents, archive_format):
    (inputs / "noise.bin").write_bytes(NOISE)
    archive = pack(
        serialized_file="weights.pt",
        extra_files="extra,noise.bin",
        model_file="net.py",
        archive_format=archive_format,
    )
    files = contents(archive)
    del files["MAR-INF/MANIFEST.json"]
    assert files == {
        "answer.py": (inputs / "answer.py").read_bytes(),
        "below/words.txt": b"words",
        "labels.json": b"{}",
        "net.py": (inputs / "net.py").read_bytes(),
        "noise.bin": NOISE,
        "weights.pt": b"weights" * 100,
    }


def test_default_deflates_what_shrinks_and_stores_the_rest(pack, inputs):
    (inputs / "noise.bin").write_bytes(NOISE)
    with zipfile.ZipFile(pack(serialized_file="weights.pt", extra_files="noise.bin")) as archive:
        ways = {info.filename: info.compress_type for info in archive.infolist()}
        assert archive.getinfo("weights.pt").compress_size < 50
    assert ways["weights.pt"] == zipfile.ZIP_DEFLATED
    assert ways["noise.bin"] == zipfile.ZIP_STORED


def test_zip_store_stores_everything(pack):
    archive = pack(serialized_file="weights.pt", extra_files="extra", archive_format="zip-store")
    with zipfile.ZipFile(archive) as file:
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("zip_format", ["default", "zip-store"])
def test_no_member_of_a_zip_file_needs_a_data_descriptor(pack, inputs, zip_format):
    (inputs / "noise.bin").write_bytes(NOISE)
    path = pack(serialized_file="weights.pt", extra_files="extra,noise.bin", archive_format=zip_format)
    with zipfile.ZipFile(path) as archive:
        flags = {local_header_flags(path, info) for info in archive.infolist()}
    assert flags == {0}


@pytest.mark.parametrize("limit", [zipfile.ZIP64_LIMIT, 10])
def test_java_reads_a_zip_file_as_torchserve_does(pack, inputs, java_sizes, monkeypatch, limit):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)  # with 10, members look as those over 4 GiB do
    (inputs / "noise.bin").write_bytes(NOISE)
    (inputs / "extra" / "empty").mkdir()
    (inputs / "extra" / "grüße.txt").write_text("")
    path = pack(serialized_file="weights.pt", extra_files="extra,noise.bin")
    with zipfile.ZipFile(path) as archive:
        assert java_sizes(path) == {info.filename: info.file_size for info in archive.infolist()}


def test_tgz_has_its_members_in_a_folder_named_for_the_model(pack):
    with tarfile.open(pack(serialized_file="weights.pt", archive_format="tgz")) as tar:
        assert tar.getnames() == ["net/answer.py", "net/weights.pt", "net/MAR-INF/MANIFEST.json"]
        owners = {(member.uid, member.gid, member.uname, member.gname) for member in tar}
    assert owners == {(0, 0, "", "")}


def test_what_may_be_executed_still_may_be(pack, inputs, archive_format):
    (inputs / "weights.pt").chmod(0o700)
    path = pack(serialized_file="weights.pt", archive_format=archive_format)
    if archive_format == "no-archive":
        modes = [stat.S_IMODE((path / name).stat().st_mode) for name in ("weights.pt", "answer.py")]
    elif archive_format == "tgz":
        with tarfile.open(path) as tar:
            modes = [tar.getmember(f"net/{name}").mode for name in ("weights.pt", "answer.py")]
    else:
        with zipfile.ZipFile(path) as archive:
            modes = [
                archive.getinfo(name).external_attr >> 16 & 0o777 for name in ("weights.pt", "answer.py")
            ]
    assert modes == [0o755, 0o644]


def test_an_archive_without_any_file_but_the_manifest(pack, contents, archive_format):
    archive = pack(handler="base_handler", archive_format=archive_format)
    assert list(contents(archive)) == ["MAR-INF/MANIFEST.json"]


def test_an_empty_file_is_kept(pack, inputs, contents, archive_format):
    (inputs / "empty.txt").write_text("")
    assert contents(pack(extra_files="empty.txt", archive_format=archive_format))["empty.txt"] == b""


def test_names_of_any_length_and_script_are_kept(pack, inputs, contents, archive_format):
    folder = inputs / "extra" / ("long" * 30)
    folder.mkdir()
    (folder / ("模型" * 30)).write_text("model")
    files = contents(pack(extra_files="extra", archive_format=archive_format))
    assert files["long" * 30 + "/" + "模型" * 30] == b"model"
