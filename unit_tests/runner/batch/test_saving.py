"""Answers as files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Optional

import pytest

from ts.runner.batch.row import Row
from ts.runner.batch.saving import Saver, check_folder, common_folder, suffix_of
from ts.runner.errors import InputError

PNG = "image/png"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos in two folders; the test works in the folder of both."""
    for name in ("photos/a/b.jpg", "photos/c.jpg", "more/c.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a photo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def saved(
    inputs: list[str], paths: list[str], content_type: Optional[str] = PNG, **options: list[str]
) -> list[str]:
    """The files of answers, below `out`."""
    rows = Saver(Path("out"), inputs, **options)([Row(path, 200, content_type, b"\x89PNG") for path in paths])
    for row in rows:
        assert row.saved is not None
        assert Path(row.saved).read_bytes() == b"\x89PNG"
    return [os.path.relpath(row.saved or "", "out") for row in rows]


@pytest.mark.parametrize(
    ("inputs", "paths", "names"),
    [
        (["photos"], ["photos/a/b.jpg", "photos/c.jpg"], ["a/b.png", "c.png"]),
        (["photos/"], ["photos/a/b.jpg"], ["a/b.png"]),
        (["photos/c.jpg"], ["photos/c.jpg"], ["c.png"]),
        (["photos/a/b.jpg", "photos/c.jpg"], ["photos/a/b.jpg", "photos/c.jpg"], ["a/b.png", "c.png"]),
        (["photos", "more"], ["photos/c.jpg", "more/c.jpg"], ["photos/c.png", "more/c.png"]),
        (["photos/**/*.jpg"], ["photos/a/b.jpg"], ["a/b.png"]),
        (["photos/../photos"], ["photos/../photos/c.jpg"], ["c.png"]),
        (["-"], ["-"], ["stdin.png"]),
        (["s3://bucket/p"], ["s3://bucket/p/a/b.jpg"], ["bucket/p/a/b.png"]),
        (["https://user:secret@host/b.jpg"], ["https://user:secret@host/b.jpg"], ["host/b.png"]),
        (["s3://bucket/p"], ["s3://bucket/../../b.jpg"], ["bucket/b.png"]),
        (["photos"], ["photos/2024.05.01 at 12.30"], ["2024.05.01 at 12.30.png"]),
        (["photos"], ["photos/two\nlines.jpg"], ["two_lines.png"]),
    ],
)
def test_names_are_those_of_the_inputs_below_the_folder_of_all(
    inputs: list[str], paths: list[str], names: list[str]
) -> None:
    assert saved(inputs, paths) == names


def test_an_absolute_input_keeps_its_tree(folder: Path) -> None:
    assert saved([str(folder / "photos")], [str(folder / "photos/a/b.jpg")]) == ["a/b.png"]


def test_no_two_answers_have_one_file() -> None:
    paths = ["photos/a.jpg", "photos/a.png", "photos/A.gif", "photos/a.png.webp", "photos/a.tif"]
    assert saved(["photos"], paths) == ["a.png", "a.png.png", "A.gif.png", "a.png.webp.png", "a.tif.png"]
    assert saved(["photos"], ["photos/a.jpg", "photos/a.jpg"], taken=["out/a.png", "out/a.jpg.png"]) == [
        "a.jpg-2.png",
        "a.jpg-3.png",
    ]


def test_long_names_are_shortened() -> None:
    (name,) = saved(["photos"], ["photos/" + "ö" * 126 + ".j"])
    assert name == "ö" * 125 + ".png"


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
def test_names_that_are_no_utf8_are_kept_and_told_escaped() -> None:
    (row,) = Saver(Path("out"), ["photos"])([Row(os.fsdecode(b"photos/a\xff.jpg"), 200, PNG, b"x")])
    assert row.saved == r"out/a\xff.png"
    assert os.listdir(b"out") == [b"a\xff.png"]


@pytest.mark.parametrize(
    ("content_type", "content", "suffix"),
    [
        ("image/jpeg", b"", ".jpg"),
        ("image/png; x=1", b"", ".png"),
        ("application/json", b"{}", ".json"),
        ("text/plain", b"", ".txt"),
        ("application/octet-stream", b"1", ".bin"),
        ("application/x-nobody-knows", b"", ".bin"),
        (None, b'{"a": 1}', ".json"),
        (None, b"text", ".txt"),
        (None, b"\xff", ".bin"),
    ],
)
def test_suffixes_are_those_of_the_answers(content_type: Optional[str], content: bytes, suffix: str) -> None:
    assert suffix_of(Row("a", 200, content_type, content)) == suffix


def test_only_answers_that_are_200_are_saved() -> None:
    refused = Row("p/a.jpg", 400, None, b"{}")
    assert Saver(Path("out"), ["p"])([refused]) == [refused]
    assert not Path("out").exists()


def test_nothing_is_written_outside_of_the_folder(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a").symlink_to(folder / "more")
    with pytest.raises(InputError, match="a link there leads out of out"):
        saved(["photos"], ["photos/a/sub/b.jpg"])
    assert [path.name for path in (folder / "more").iterdir()] == ["c.jpg"]
    (folder / "out" / "c.png").symlink_to(folder / "photos" / "c.jpg")
    assert saved(["photos"], ["photos/c.jpg"]) == ["c.png"]
    assert (folder / "photos" / "c.jpg").read_text() == "a photo"


def test_a_folder_that_cannot_be_written_in_is_told(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a").write_text("no folder")
    with pytest.raises(InputError, match=r"out/a/b\.png cannot be written: "):
        saved(["photos"], ["photos/a/b.jpg"])


@pytest.mark.parametrize(
    ("save", "inputs", "message"),
    [
        ("photos", ["photos"], "--save photos holds photos, which answers might replace"),
        ("photos", ["photos/c.jpg"], r"--save photos holds photos/c\.jpg"),
        (".", ["photos"], r"--save \. holds photos"),
        ("photos", ["photos/*.jpg"], r"--save photos holds photos/\*\.jpg"),
        ("photos", ["photos/**/*.jpg"], r"--save photos holds photos/\*\*/\*\.jpg"),
        ("more/c.jpg", ["photos"], r"--save more/c\.jpg is no folder"),
        (
            "more",
            ["photos"],
            "--save more is not empty: name another folder, or replace files in it by --force",
        ),
    ],
)
def test_a_folder_is_refused_where_files_would_be_lost(save: str, inputs: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_folder(Path(save), inputs, may_be_there=False)


def test_a_folder_in_that_of_the_inputs_or_one_that_may_be_there_is_fine(folder: Path) -> None:
    check_folder(Path("photos/out"), ["photos", "-", "s3://b/c", "gone.jpg", "*.jpg"], may_be_there=False)
    check_folder(Path("more"), ["photos"], may_be_there=True)
    assert common_folder(["photos", "-", "s3://b/c"]) == str(folder / "photos")
    assert common_folder(["-"]) == str(folder)
