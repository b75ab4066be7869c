"""What `quantize` is given by `--data`: how it is read, parted, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ts.runner.batch.known import Known
from ts.runner.errors import InputError
from ts.runner.quantizing.data import Data, read_data

TEXTS = Known(["a text: str"])
IMAGES = Known(["an encoded image: bytes"])
LINES = [f"text {index}" for index in range(70)]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`read(name, content, column, encoding)`: writes a file into the working directory, and reads it."""
    monkeypatch.chdir(tmp_path)

    def read(name: str, content: str, column: Any, encoding: str) -> Data:
        Path(name).write_bytes(content.encode(encoding))
        return read_data([name], TEXTS, column, 300, 0, tmp_path)

    return read


def rows(separator: str) -> str:
    return "\n".join([f"id{separator}text", *(f'7{separator}"{line}"' for line in LINES)])


@pytest.mark.parametrize(
    ("name", "content", "column", "encoding"),
    [
        ("a.txt", "\n".join([*LINES, "", "  "]), None, "utf-8"),
        ("a.txt", "\r\n".join(LINES), None, "utf-8-sig"),
        ("a.jsonl", "\n".join(map(json.dumps, LINES)), None, "utf-8"),
        ("a.csv", rows(","), None, "utf-8"),
        ("a.csv", rows(";"), None, "utf-8-sig"),
        ("a.csv", rows("\t"), "text", "utf-8"),
        ("a.TSV", rows("\t"), None, "utf-8"),
        ("a.csv", "\n".join(["body", *LINES]), None, "utf-8"),
        ("a.csv", rows(",").replace("text\n", "body\n"), "body", "utf-8"),
    ],
)
def test_texts_come_of_lines_and_of_columns(
    read: Any, name: str, content: str, column: Any, encoding: str
) -> None:
    data = read(name, content, column, encoding)
    assert sorted(data.calibration + data.held_out) == sorted(LINES)
    assert (len(data.calibration), len(data.held_out)) == (20, 50)


@pytest.mark.parametrize(
    ("name", "content", "column", "encoding", "message"),
    [
        ("a.txt", "", None, "utf-8", "--data has 0 different inputs, and at least 60 are wanted"),
        ("a.txt", "\n".join(LINES[:30] * 5), None, "utf-8", r"has 30 .*\(120 more have the content of oth"),
        ("a.txt", "\n".join(LINES), None, "utf-16", "a.txt is not UTF-8 in line 1: `iconv -t UTF-8` makes"),
        ("a.txt", "\n".join([*LINES, "ä"]), None, "latin-1", "a.txt is not UTF-8 in line 71"),
        ("a.csv", rows(","), "title", "utf-8", "no column title: .* --column names one of id, text"),
        ("a.csv", rows(",")[8:], None, "utf-8", "no column text: its first line has the columns' names"),
        ("a.csv", "", None, "utf-8", "no column text: .* names one of none"),
        ("a.jsonl", "{oops", None, "utf-8", "a.jsonl, line 1: Expecting property name"),
    ],
)
def test_texts_that_cannot_be_read_are_refused(
    read: Any, name: str, content: str, column: Any, encoding: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(name, content, column, encoding)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", r"has 0 different .*\(1 file of folders is left out, whose name"),
        ("nowhere", "no such file or folder: .*nowhere"),
    ],
)
def test_inputs_of_another_kind_are_counted(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a text")
    with pytest.raises(InputError, match=message):
        read_data([str(tmp_path / name)], IMAGES, None, 300, 0, tmp_path)


def test_the_parts_have_none_in_common_and_follow_from_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(72):
        path = tmp_path / "photos" / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([index % 70]))
    monkeypatch.chdir(tmp_path)
    first, again, other = (read_data(["photos"], IMAGES, None, 15, seed, tmp_path) for seed in (0, 0, 1))
    assert first == again
    assert first.calibration != other.calibration
    assert (len(first.calibration), len(first.held_out), first.repeated) == (15, 55, 2)
    assert not set(first.calibration) & set(first.held_out)
    path = first.held_out[0]
    assert isinstance(path, Path)
    assert path.is_absolute()  # for handlers work in their archives' folders
    assert first.name(path).startswith("photos/")
    assert first.name("long " * 99) == repr(("long " * 12)[:60] + "...")


def test_what_lies_behind_urls_is_kept_on_the_disk(tmp_path: Path) -> None:
    from fsspec import filesystem  # comes with torch

    memory = filesystem("memory")
    for index in range(60):
        memory.pipe(f"/photos/{index}.png", bytes([index]))
    data = read_data(["memory://photos"], IMAGES, None, 300, 0, tmp_path)
    path = data.calibration[0]
    assert isinstance(path, Path)
    assert (path.parent, path.suffix) == (tmp_path, ".png")
    number = Path(data.name(path)).stem
    assert data.name(path) == f"memory:///photos/{number}.png"
    assert path.read_bytes() == bytes([int(number)])
