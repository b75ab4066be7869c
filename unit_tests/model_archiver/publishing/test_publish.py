"""Temporaries, and the rename that makes one the archive."""

from __future__ import annotations

import os

import pytest
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.publishing import atomic_rename, publish

KINDS = pytest.mark.parametrize("is_folder", [False, True], ids=["file", "folder"])


def fill(path, text):
    """Writes a text to a file, or into a folder."""
    (path / "text" if path.is_dir() else path).write_text(text)


def text_of(path):
    return (path / "text" if path.is_dir() else path).read_text()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "net.mar"


@pytest.fixture
def make(target):
    """Publishes an archive that holds a text."""

    def make_archive(text, is_folder, replace=False):
        with publish.temporary(target, is_folder) as path:
            fill(path, text)
            publish.publish(path, target, replace)

    return make_archive


@KINDS
def test_a_temporary_lies_beside_its_target_and_gets_its_name(target, is_folder):
    with publish.temporary(target, is_folder) as path:
        assert path.parent == target.parent
        assert path.is_dir() == is_folder
        assert publish.is_temporary(path.name)
        fill(path, "new")
        publish.publish(path, target, replace=False)
    assert text_of(target) == "new"
    assert os.listdir(target.parent) == ["net.mar"]


@KINDS
def test_a_temporary_that_is_not_published_is_removed(target, is_folder):
    def fail():
        with publish.temporary(target, is_folder) as path:
            fill(path, "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(target.parent) == []


@KINDS
def test_what_exists_is_not_replaced_unasked(make, target, is_folder):
    make("old", is_folder)
    with pytest.raises(ModelArchiverError, match=r"net\.mar exists already; -f replaces it"):
        make("new", is_folder)
    assert text_of(target) == "old"
    assert os.listdir(target.parent) == ["net.mar"]


@KINDS
def test_what_exists_is_replaced_when_asked(make, target, is_folder):
    make("old", is_folder)
    make("new", is_folder, replace=True)
    assert text_of(target) == "new"
    assert os.listdir(target.parent) == ["net.mar"]


@KINDS
def test_without_system_calls_of_its_own_a_file_system_does_too(make, target, is_folder, monkeypatch):
    def refuse(*arguments):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(atomic_rename, "_exchange_at_once", lambda *_: False)
    make("old", is_folder)
    with pytest.raises(ModelArchiverError):
        make("unasked", is_folder)
    assert text_of(target) == "old"
    make("new", is_folder, replace=True)
    assert text_of(target) == "new"
    assert os.listdir(target.parent) == ["net.mar"]


def test_a_folder_comes_back_if_its_place_cannot_be_taken(make, target, monkeypatch):
    make("old", is_folder=True)
    monkeypatch.setattr(atomic_rename, "_exchange_at_once", lambda *_: False)
    rename = os.rename

    def fail_to_take_the_place(source, destination):
        if str(source).endswith(".tmp") and destination == target and not target.exists():
            raise OSError(28, "No space left on device")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", fail_to_take_the_place)
    with pytest.raises(OSError, match="No space left"):
        make("new", is_folder=True, replace=True)
    assert text_of(target) == "old"
    assert os.listdir(target.parent) == ["net.mar"]


@KINDS
def test_what_a_killed_run_left_is_removed_by_the_next(make, target, is_folder):
    debris = target.with_name(".net.mar.1-0123456789abcdef.tmp")
    if is_folder:
        debris.mkdir()
    fill(debris, "half")
    make("new", is_folder)
    assert os.listdir(target.parent) == ["net.mar"]


@KINDS
def test_what_a_living_run_writes_is_left_alone(make, target, is_folder):
    with publish.temporary(target, is_folder) as path:
        fill(path, "being written")
        make("new", is_folder)
        assert text_of(path) == "being written"


@pytest.mark.parametrize("name", [".net.mar.tmp", "net.mar.1-0123456789abcdef.tmp", ".net.mar.mine.tmp"])
def test_files_of_other_names_are_left_alone(make, target, name):
    other = target.with_name(name)
    other.write_text("mine")
    make("new", is_folder=False)
    assert other.read_text() == "mine"
    assert not publish.is_temporary(name)


def test_an_archive_may_be_read_by_those_whom_the_umask_lets(make, target):
    before = os.umask(0o022)
    try:
        make("new", is_folder=False)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o644


def test_where_nothing_can_be_locked_archives_are_made_all_the_same(make, target, monkeypatch):
    monkeypatch.setattr(publish, "fcntl", None)
    debris = target.with_name(".net.mar.1-0123456789abcdef.tmp")
    debris.write_text("may be alive")
    make("new", is_folder=False)
    assert text_of(target) == "new"
    assert debris.exists()
