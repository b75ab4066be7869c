"""--extra-files."""

from __future__ import annotations

import os

import pytest
from model_archiver.inputs.tree import extra_entries
from model_archiver.model_archiver_error import InputNotFoundError, ModelArchiverError


@pytest.fixture
def names(inputs, tmp_path):
    """The names in the archive that a value of --extra-files stands for."""
    return lambda extra_files: sorted(
        entry.name for entry in extra_entries(extra_files, tmp_path / "net.mar")
    )


def test_a_file_goes_to_the_top(names):
    assert names("extra/below/words.txt") == ["words.txt"]


@pytest.mark.parametrize("folder", ["extra", "extra/", "./extra"])
def test_a_folders_content_goes_to_the_top_and_keeps_its_tree(names, folder):
    assert names(folder) == ["below/words.txt", "labels.json"]


def test_a_list_may_have_spaces_and_empty_parts(names):
    assert names(" weights.pt , net.py,, ") == ["net.py", "weights.pt"]


def test_several_lists_add_up(names):
    assert names(["weights.pt", "net.py,extra"]) == ["below/words.txt", "labels.json", "net.py", "weights.pt"]


def test_a_pattern_stands_for_what_it_matches(names):
    assert names("*.p*") == ["answer.py", "net.py", "weights.pt"]
    assert names("ex*") == ["below/words.txt", "labels.json"]


def test_two_stars_stand_for_folders_of_any_depth(names, inputs):
    (inputs / "extra" / "below" / "deep").mkdir()
    for name in ("extra/a.bin", "extra/below/b.bin", "extra/below/deep/c.bin", "extra/below/deep/d.bin/e"):
        (inputs / name).parent.mkdir(exist_ok=True)
        (inputs / name).write_text(name)
    assert names("extra/**/*.bin") == ["a.bin", "b.bin", "c.bin"]
    assert names("**/deep/*,net.py") == ["c.bin", "net.py"]
    assert names("extra/**/words.txt") == ["words.txt"]


def test_two_stars_pass_over_what_interpreters_leave(names, inputs):
    (inputs / "extra" / "__pycache__").mkdir()
    (inputs / "extra" / "__pycache__" / "net.pyc").write_text("")
    assert names("extra/**/*") == ["labels.json", "words.txt"]


def test_two_stars_that_match_folders_alone_are_named(names):
    with pytest.raises(InputNotFoundError, match=r"pattern \*\*/bel\* matches nothing$"):
        names("**/bel*")


def test_a_tilde_is_the_home_folder(names, inputs, monkeypatch):
    monkeypatch.setenv("HOME", str(inputs / "extra"))
    monkeypatch.setenv("USERPROFILE", str(inputs / "extra"))
    assert names("~/labels.json, ~/below/*.txt") == ["labels.json", "words.txt"]
    assert names("~") == ["below/words.txt", "labels.json"]
    (inputs / "~").mkdir()
    (inputs / "~" / "labels.json").write_text("")
    assert names("~") == ["labels.json"], "a name is a name first"


def test_hidden_files_and_folders_are_kept(names, inputs):
    (inputs / "extra" / ".hidden").mkdir()
    (inputs / "extra" / ".hidden" / ".file").write_text("")
    assert ".hidden/.file" in names("extra")


@pytest.mark.parametrize("name", ["a[1].txt", "what?.txt", "star*.txt", "a,b.txt", "ünï code.txt"])
def test_names_that_look_like_patterns_or_lists_are_names_first(names, inputs, name):
    (inputs / name).write_text("")
    assert names(name) == [name]


def test_an_empty_folder_is_kept(names, inputs, pack, archive_format):
    (inputs / "extra" / "empty").mkdir()
    assert "empty" in names("extra")
    archive = pack(extra_files="extra", archive_format="no-archive")
    assert (archive / "empty").is_dir()


@pytest.mark.parametrize("junk", ["__pycache__/net.pyc", "__MACOSX/file", "below/.DS_Store"])
def test_what_interpreters_and_file_managers_leave_is_left_out(names, inputs, junk):
    path = inputs / "extra" / junk
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    assert names("extra") == ["below/words.txt", "labels.json"]
    assert names("extra/*") == ["labels.json", "words.txt"]


def test_links_are_followed(names, inputs):
    (inputs / "linked").mkdir()
    (inputs / "linked" / "file").symlink_to(inputs / "weights.pt")
    (inputs / "linked" / "folder").symlink_to(inputs / "extra")
    assert names("linked") == ["file", "folder/below/words.txt", "folder/labels.json"]


def test_a_missing_file_is_named(names):
    with pytest.raises(ModelArchiverError, match=r"^the extra file no\.txt does not exist$"):
        names("weights.pt,no.txt")


def test_a_pattern_that_matches_nothing_is_named(names):
    with pytest.raises(ModelArchiverError, match=r"^the extra file pattern \*\.no matches nothing$"):
        names("*.no")


@pytest.mark.parametrize("given", ["extra/link", "extra"])
def test_a_dangling_link_is_named(names, inputs, given):
    (inputs / "extra" / "link").symlink_to("nowhere")
    with pytest.raises(
        ModelArchiverError, match="extra/link is a link that leads to nowhere, which does not exist"
    ):
        names(given)


@pytest.mark.parametrize("given", ["extra/link", "extra"])
def test_a_link_to_itself_is_named(names, inputs, given):
    (inputs / "extra" / "link").symlink_to("link")
    with pytest.raises(ModelArchiverError, match="extra/link is a link that leads in a circle"):
        names(given)


def test_a_link_to_a_folder_above_is_named(names, inputs):
    (inputs / "extra" / "below" / "up").symlink_to(inputs / "extra")
    with pytest.raises(ModelArchiverError, match="extra/below/up is a link that leads in a circle"):
        names("extra")


def test_a_pipe_is_named(names, inputs):
    os.mkfifo(inputs / "extra" / "pipe")
    with pytest.raises(ModelArchiverError, match="extra/pipe is not a regular file"):
        names("extra")


def test_a_name_that_is_not_utf8_is_named(names, inputs):
    try:
        os.close(os.open(os.fsencode(inputs / "extra") + b"/\xff", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    with pytest.raises(ModelArchiverError, match="is not UTF-8"):
        names("extra")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_an_unreadable_file_is_named(names, inputs):
    (inputs / "extra" / "labels.json").chmod(0)
    with pytest.raises(ModelArchiverError, match=r"extra/labels\.json cannot be read: permission denied"):
        names("extra")


def test_the_archive_itself_and_unfinished_ones_are_left_out(pack, inputs, contents):
    (inputs / ".net.mar.1-0123456789abcdef.tmp").write_text("unfinished")
    pack(extra_files=".", export_path=str(inputs))
    archive = pack(extra_files=".", export_path=str(inputs), force=True)
    assert set(contents(archive)) == {
        "answer.py",
        "extra/below/words.txt",
        "extra/labels.json",
        "net.py",
        "weights.pt",
        "MAR-INF/MANIFEST.json",
    }
