"""The digests in the manifest, and the check of an archive against them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from model_archiver.writing.integrity import sha256, verify


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def opener():
    """Opens files that are given as a mapping of names to bytes."""
    return lambda files: lambda name: io.BytesIO(files[name])


def test_an_archive_that_is_whole(pack, manifest):
    path = pack(serialized_file="weights.pt", extra_files="extra")
    with zipfile.ZipFile(path) as archive:
        assert verify(manifest(path), archive.open) == []


def test_a_folder_that_is_whole(pack, manifest):
    path = pack(serialized_file="weights.pt", extra_files="extra", archive_format="no-archive")
    assert verify(manifest(path), lambda name: (path / name).open("rb")) == []
    (path / "below" / "words.txt").write_text("other")
    (path / "weights.pt").unlink()
    assert verify(manifest(path), lambda name: (path / name).open("rb")) == ["below/words.txt", "weights.pt"]


def test_files_that_differ_or_are_missing_are_named(opener):
    manifest = {"sha256": {"same": digest(b"1"), "other": digest(b"2"), "gone": digest(b"3")}}
    assert verify(manifest, opener({"same": b"1", "other": b"x"})) == ["other", "gone"]


def test_a_damaged_member_differs(pack, manifest):
    path = pack(serialized_file="weights.pt", archive_format="zip-store")
    expected = manifest(path)
    path.write_bytes(path.read_bytes().replace(b"weightsweights", b"weightsWeights", 1))
    with zipfile.ZipFile(path) as archive:
        assert verify(expected, archive.open) == ["weights.pt"]


def test_an_archive_of_another_archiver_has_nothing_to_verify(opener):
    assert verify({"model": {}}, opener({})) == []


def test_digests_that_are_no_mapping_are_refused(opener):
    with pytest.raises(ValueError, match="the manifest's sha256 is not a mapping of names to digests"):
        verify({"sha256": ["abc"]}, opener({}))


def test_a_digest_is_that_of_hashlib_and_progress_is_told():
    content = bytes(range(256)) * 10_000
    done = []
    assert sha256(io.BytesIO(content), done.append) == hashlib.sha256(content).hexdigest()
    assert sum(done) == len(content)


def test_the_manifest_is_json_for_any_reader(pack, contents):
    text = contents(pack(serialized_file="weights.pt"))["MAR-INF/MANIFEST.json"]
    assert json.loads(text)["sha256"]["weights.pt"] == digest(b"weights" * 100)
