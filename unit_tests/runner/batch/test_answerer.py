"""Files, answered by a handler in a process of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.batch.answerer import AnswererOptions, FileAnswerer
from ts.runner.batch.question import Question
from ts.runner.batch.row import Row
from ts.runner.errors import ServerError
from ts.runner.serving.settings import serving_settings

Build = Callable[..., Path]
COUNTS_STARTS = """
import os

class Counts:
    def initialize(self, context):
        with open(os.environ["STARTS"], "a") as starts:
            starts.write("x")
        if os.environ.get("FAILS_AT") == str(os.path.getsize(os.environ["STARTS"])):
            raise ValueError("it is not free yet")

    def handle(self, data, context):
        if any(bytes(row["body"]) == b"die" for row in data):
            os._exit(3)
        return ["fine"] * len(data)
"""


@contextmanager
def answerer(path: Path, *options: tuple[str, str]) -> Iterator[FileAnswerer]:
    with open_archive(path) as archive:
        settings = serving_settings(archive)
    found = FileAnswerer(AnswererOptions(str(path), settings, Question(options), device="cpu"))
    try:
        yield found
    finally:
        found.close()


def rows_of(found: FileAnswerer, paths: list[str]) -> list[Row]:
    return [row for rows in found.answer(paths) for row in rows]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """`files(*texts)` writes a file each; None is a file that is not there."""

    def write(*texts: Any) -> list[str]:
        for number, text in enumerate(texts):
            if text is not None:
                (tmp_path / str(number)).write_text(text)
        return [str(tmp_path / str(number)) for number in range(len(texts))]

    return write


def test_each_file_has_its_row_in_order_and_batches_are_the_archives(archive: Build, files: Any) -> None:
    paths = files("a", "b", None, "damaged", "picture", "c")
    with answerer(archive(batchSize=4)) as found:
        batches = list(found.answer(paths))
        assert list(found.answer([])) == []
    rows = [row for batch in batches for row in batch]
    assert [len(batch) for batch in batches] == [4, 2]
    assert [row.path for row in rows] == paths
    assert [row.status for row in rows] == [200, 200, 404, 400, 200, 200]
    assert [json.loads(rows[index].content)["rows"] for index in (0, 1, 5)] == [3, 3, 2]
    assert json.loads(rows[2].content)["message"] == "The file cannot be read: No such file or directory"
    assert (rows[4].content_type, rows[4].content) == ("image/png", b"\x89PNG")


def test_files_are_read_from_urls_too(archive: Build, files: Any) -> None:
    urls = [f"file://{path}" for path in files("a", None)]
    with answerer(archive()) as found:
        rows = rows_of(found, urls)
    assert [(row.path, row.status) for row in rows] == [(urls[0], 200), (urls[1], 404)]


def test_options_go_with_each_file(archive: Build, files: Any) -> None:
    with answerer(archive(), ("topk", "3")) as found:
        (row,) = rows_of(found, files("a"))
    assert json.loads(row.content)["topk"] == "3"


def test_a_file_that_ends_its_process_is_asked_twice_and_gets_a_503_and_the_others_their_answers(
    archive: Build, files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    with answerer(archive(batchSize=4)) as found:
        rows = rows_of(found, files("a", "die", "b", "c", "d"))
    assert [row.status for row in rows] == [200, 503, 200, 200, 200]
    assert json.loads(rows[1].content)["message"] == "Worker died."
    assert [json.loads(rows[index].content)["rows"] for index in (0, 2, 3, 4)] == [1, 1, 1, 1]
    asked = [line.partition(" ")[2] for line in (tmp_path / "marks").read_text().splitlines()]
    assert asked == ["a", "die", "b", "c", "a", "die", "b", "c", "d"]


def test_a_file_that_keeps_its_handler_too_long_gets_a_503(archive: Build, files: Any) -> None:
    with answerer(archive(batchSize=2, responseTimeout=1)) as found:
        rows = rows_of(found, files("a", "hang", "b"))
    assert [row.status for row in rows] == [200, 503, 200]
    assert "did not respond within 1 seconds" in json.loads(rows[1].content)["message"]


def test_a_handler_that_does_not_start_is_told(archive: Build) -> None:
    with (
        pytest.raises(ServerError, match="did not start: ValueError: no weights"),
        answerer(archive("def handle(data, context):\n    raise ValueError('no weights')")),
    ):
        pass


def test_a_new_start_that_fails_is_tried_again(
    archive: Build, files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    monkeypatch.setenv("FAILS_AT", "2")
    with answerer(archive(COUNTS_STARTS)) as found:
        rows = rows_of(found, files("die", "a"))
    assert [(row.status, row.content == b"fine") for row in rows] == [(503, False), (200, True)]
    assert (tmp_path / "starts").read_text() == "xxxx"  # the first, one that fails, and after each death one


def test_nothing_is_left_where_archives_are_unpacked(
    archive: Build, files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr("tempfile.tempdir", None)
    with answerer(archive()) as found:
        assert rows_of(found, files("a"))[0].status == 200
        assert len(os.listdir(place)) == 1
    assert os.listdir(place) == []
