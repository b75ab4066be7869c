"""What would be lost or mixed is refused before a byte is written."""

from __future__ import annotations

import pytest
from model_archiver.model_archiver_error import ModelArchiverError


@pytest.fixture
def refusal(pack):
    """The message with which options are refused, after a look that nothing was written."""

    def pack_and_fail(**options):
        with pytest.raises(ModelArchiverError) as refused:
            pack(**options)
        return str(refused.value)

    return pack_and_fail


@pytest.mark.parametrize("role", ["serialized", "model", "requirements", "config"])
def test_a_missing_file_is_named(refusal, role):
    assert refusal(**{f"{role}_file": "no.file"}) == f"the {role} file no.file does not exist"


@pytest.mark.parametrize("role", ["serialized", "model", "requirements", "config"])
def test_a_folder_in_the_place_of_a_file_is_named(refusal, role):
    assert (
        refusal(**{f"{role}_file": "extra"})
        == f"the {role} file extra is a folder; --extra-files takes folders"
    )


def test_a_dangling_link_is_named(refusal, inputs):
    (inputs / "link.pt").symlink_to("gone.pt")
    message = refusal(serialized_file="link.pt")
    assert message == "the serialized file link.pt is a link that leads to gone.pt, which does not exist"


def test_two_files_for_one_place_are_both_named(refusal, inputs):
    (inputs / "extra" / "weights.pt").write_text("others")
    message = refusal(serialized_file="weights.pt", extra_files="extra")
    assert message == "weights.pt and extra/weights.pt differ, and would both be weights.pt in the archive"


def test_two_files_of_one_size_are_compared(refusal, inputs):
    (inputs / "extra" / "weights.pt").write_bytes(b"Weights" * 100)
    assert "differ" in refusal(serialized_file="weights.pt", extra_files="extra")


def test_identical_files_for_one_place_are_fine(pack, inputs, contents):
    (inputs / "extra" / "weights.pt").write_bytes(b"weights" * 100)
    archive = pack(serialized_file="weights.pt", extra_files="extra,weights.pt")
    assert contents(archive)["weights.pt"] == b"weights" * 100


def test_folders_that_share_a_subfolder_are_merged(pack, inputs, contents):
    (inputs / "more" / "below").mkdir(parents=True)
    (inputs / "more" / "below" / "other.txt").write_text("other")
    assert {"below/words.txt", "below/other.txt"} <= set(contents(pack(extra_files="extra,more")))


def test_a_file_in_the_place_of_a_folder_is_named(refusal, inputs):
    (inputs / "below").write_text("a file")
    message = refusal(extra_files="below,extra")
    assert message == "below would be below in the archive, where extra/below/words.txt needs a folder"


@pytest.mark.parametrize("name", ["MAR-INF/MANIFEST.json", "MAR-INF"])
def test_the_manifests_place_is_taken(refusal, inputs, name):
    path = inputs / "extra" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert (
        refusal(extra_files="extra")
        == f"extra/{name} would be {name} in the archive, where the manifest belongs"
    )


@pytest.mark.parametrize("name", ["", "-n", ".n", "a b", "a/b", "nö", "n\n"])
def test_a_model_name_that_torchserve_would_refuse_is_refused(refusal, name):
    assert refusal(model_name=name).startswith(f"{name!r} is no model name: it takes letters, digits")


@pytest.mark.parametrize("name", ["n", "N1", "0", "a.b-c_d"])
def test_a_model_name_that_torchserve_takes_is_taken(pack, name):
    assert pack(model_name=name).name == f"{name}.mar"


def test_an_unknown_format_or_runtime_is_refused(refusal):
    assert refusal(archive_format="rar") == (
        "'rar' is no archive format: choose from default, zip-store, tgz, no-archive"
    )
    assert refusal(runtime="ruby") == "'ruby' is no runtime: choose from python, python3, LSP"


@pytest.mark.parametrize("path", ["weights.pt", "nowhere"])
def test_an_export_path_that_is_no_folder_is_refused(refusal, path):
    assert refusal(export_path=path) == f"the export path {path} is not a folder"
