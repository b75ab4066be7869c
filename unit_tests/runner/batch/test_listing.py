"""The files that inputs stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ts.runner.batch.listing import list_files, listed_files, read_list
from ts.runner.errors import InputError


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jpg", "a/c.jpg", "a/d/e.jpg", ".hidden", ".git/f", "a/.g"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "one.jpg").write_text("one")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def test_folders_are_searched_and_paths_begin_as_they_were_named(photos: Path) -> None:
    assert list(list_files(["photos", "one.jpg"])) == [
        "photos/a/c.jpg",
        "photos/a/d/e.jpg",
        "photos/b.jpg",
        "one.jpg",
    ]
    assert sorted(list_files([str(photos / "a")])) == [str(photos / "a/c.jpg"), str(photos / "a/d/e.jpg")]


def test_what_is_hidden_is_left_out_unless_it_is_named(photos: Path) -> None:
    assert list(list_files(["photos/.git"])) == ["photos/.git/f"]
    assert list(list_files(["photos/.hidden"])) == ["photos/.hidden"]


def test_what_is_no_file_is_left_out_and_links_to_folders_lead_in_no_circle(photos: Path) -> None:
    os.mkfifo(photos / "pipe")
    (photos / "a" / "up").symlink_to(photos)
    (photos / "a" / "gone.jpg").symlink_to(photos / "nowhere")
    (photos / "a" / "link.jpg").symlink_to(photos / "b.jpg")
    assert list(list_files(["photos/a"])) == [
        "photos/a/c.jpg",
        "photos/a/d/e.jpg",
        "photos/a/gone.jpg",
        "photos/a/link.jpg",
    ]


def test_all_that_is_missing_is_named_at_once(photos: Path) -> None:
    with pytest.raises(InputError, match=r"no such file or folder: x\.jpg, y$"):
        list_files(["photos", "x.jpg", "y"])


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_one(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def refusing(path: str) -> object:
        if path == "photos/a":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(InputError, match="photos/a cannot be read: Permission denied"):
        list(list_files(["photos"]))


def test_folders_behind_urls_are_searched_too() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("b.jpg", "a/c.jpg", ".hidden", "a/.git/f"):
        memory.pipe(f"/listing/{name}", b"x")
    try:
        found = list(list_files(["memory://listing"]))
        assert sorted(found) == ["memory:///listing/a/c.jpg", "memory:///listing/b.jpg"]
        assert list(list_files(["memory://listing/b.jpg"])) == ["memory://listing/b.jpg"]
        with pytest.raises(InputError, match="no such file or folder: memory://absent"):
            list(list_files(["memory://absent"]))
    finally:
        memory.rm("/listing", recursive=True)


@pytest.mark.parametrize(
    ("url", "message"),
    [("nowhere://x/y", "nowhere://x/y cannot be opened"), ("zip://a::memory://b.zip", "is a chain of URLs")],
)
def test_urls_that_cannot_be_listed(url: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(list_files([url]))


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("photos/*.jpg", ["photos/b.jpg"]),
        ("photos/**/*.jpg", ["photos/a/c.jpg", "photos/a/d/e.jpg", "photos/b.jpg"]),
        ("photos/**", ["photos/a/c.jpg", "photos/a/d/e.jpg", "photos/b.jpg"]),
        ("photos/[ab]*", ["photos/a/c.jpg", "photos/a/d/e.jpg", "photos/b.jpg"]),
        ("photos/?.jp*g", ["photos/b.jpg"]),
        ("**/c.*", ["photos/a/c.jpg"]),
        ("photos/.h*", ["photos/.hidden"]),
        ("photos/**.jpg", ["photos/b.jpg"]),
    ],
)
def test_patterns_give_each_file_once_and_follow_no_circle(
    photos: Path, pattern: str, files: list[str]
) -> None:
    (photos / "a" / "up").symlink_to(photos)
    assert list(list_files([pattern])) == files
    absolute = str(photos.parent / pattern)
    assert list(list_files([absolute])) == [str(photos.parent / file) for file in files]


def test_a_pattern_of_nothing_is_missing_and_a_file_of_such_a_name_is_that_file(photos: Path) -> None:
    with pytest.raises(InputError, match=r"no such file or folder: photos/\*\.png$"):
        list_files(["photos/*.png"])
    (photos / "[b].jpg").touch()
    assert list(list_files(["photos/[b].jpg"])) == ["photos/[b].jpg"]


def test_what_is_not_wanted_is_left_out_of_folders_but_not_of_what_is_named(photos: Path) -> None:
    assert list(list_files(["photos", "one.jpg"], lambda path: path.endswith("c.jpg"))) == [
        "photos/a/c.jpg",
        "one.jpg",
    ]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"\xef\xbb\xbfone.jpg\r\n\r\nphotos/a\r\n", ["one.jpg", "photos/a"]),
        (b"one.jpg\nphotos/*.jpg", ["one.jpg", "photos/*.jpg"]),
        (b"two\nlines.jpg\0photos\0", ["two\nlines.jpg", "photos"]),
        (b"a\xff.jpg", [os.fsdecode(b"a\xff.jpg")]),
    ],
)
def test_a_list_has_a_name_a_line_or_nuls_between_them(
    photos: Path, content: bytes, names: list[str]
) -> None:
    (photos / "list").write_bytes(content)
    assert read_list("photos/list") == names


def test_listed_names_that_are_not_there_are_files_too_but_not_all_of_them(photos: Path) -> None:
    assert list(listed_files(["photos/a", "gone.jpg", "one.jpg"])) == [
        "photos/a/c.jpg",
        "photos/a/d/e.jpg",
        "gone.jpg",
        "one.jpg",
    ]
    with pytest.raises(InputError, match=r"of 2 listed files none is there; the first is gone\.jpg"):
        listed_files(["gone.jpg", "photos/*.jpg"])
    (photos / "empty").write_text("\n")
    with pytest.raises(InputError, match="--inputs-from photos/empty names no input"):
        read_list("photos/empty")
    with pytest.raises(InputError, match="--inputs-from absent cannot be read: No such file"):
        read_list("absent")


def test_patterns_behind_urls() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("b.jpg", "a/c.jpg", "d.txt"):
        memory.pipe(f"/patterns/{name}", b"x")
    try:
        assert list(list_files(["memory://patterns/*.jpg"])) == ["memory:///patterns/b.jpg"]
    finally:
        memory.rm("/patterns", recursive=True)
