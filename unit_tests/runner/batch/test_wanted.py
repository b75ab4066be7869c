"""Which files of a folder are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from ts.runner.batch.wanted import Wanted, by_name

IMAGES = ("an encoded image: bytes, base64 text or a data: URI", "nested lists of numbers")
TEXTS = ("a text: str, or bytes in UTF-8",)
FORMATS = ("JPEG", "PNG", "HEIF")


@pytest.mark.parametrize(
    ("payloads", "asked", "left_out", "what"),
    [
        (
            IMAGES,
            ["a.jpg", "a.JPEG", "a.png", "a.heic", "a"],
            ["a.txt", "a.json", "a.webp", "a.mp4"],
            "images",
        ),
        (TEXTS, ["a.txt", "a.md", "a.json", "a", "a.0001"], ["a.jpg", "a.zip", "a.txt.gz", "a.mp4"], "texts"),
        ((*IMAGES, *TEXTS), ["a.jpg", "a.txt", "a"], ["a.zip", "a.mp3"], "images or texts"),
        ((), ["a.jpg", "a.txt", "a.zip"], ["Thumbs.db", "desktop.ini"], ""),
    ],
)
def test_files_are_asked_whose_names_a_handler_reads(
    payloads: tuple[str, ...], asked: list[str], left_out: list[str], what: str
) -> None:
    fits, said = by_name(payloads, FORMATS)
    wanted = Wanted(fits, said)
    assert [name for name in [*asked, *left_out] if wanted(f"photos/{name}")] == asked
    assert said == what
    assert sum(wanted.left_out.values()) == len(left_out)


def test_what_is_left_out_is_said_by_kind() -> None:
    wanted = Wanted(*by_name(IMAGES, FORMATS))
    wanted("photos/Thumbs.db")
    assert str(wanted) == "1 file of folders is left out, whose name is not that of images: 1 Thumbs.db"
    for name in ("a.txt", "b.TXT", "a.b", "a.c", "a.d", "a.e"):
        wanted(name)
    assert str(wanted) == (
        "7 files of folders are left out, whose names are not those of images: 2 .txt, 1 Thumbs.db, 1 .b, 1 .c,"
        " 1 .d, 1 other suffixes"
    )


def test_answers_are_told_from_inputs(tmp_path: Path) -> None:
    wanted = Wanted(without=[tmp_path / "out", tmp_path / "a.jsonl"])
    assert wanted.is_answer(str(tmp_path / "a.jsonl"))
    assert wanted.is_answer(str(tmp_path / "out" / "a.jpg"))
    assert not wanted.is_answer(str(tmp_path / "outer.jpg"))
    assert not Wanted().is_answer(str(tmp_path / "a.jsonl"))
