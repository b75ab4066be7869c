"""Answers of a handler in this process, for files that are read ahead."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from ts.runner.answering.model import Model, load_archive
from ts.runner.batch import here as module
from ts.runner.batch.here import Here, groups
from ts.runner.batch.question import Question

BuildClass = Callable[[str], Path]
BODY = """
self.seen = [*getattr(self, "seen", []), len(data)]
context.metrics.add_counter("Seen", len(data))
return [{"said": bytes(row.get("body") or row["data"]).decode(), "topk": repr(row.get("topk"))} for row in data]
"""


@pytest.fixture
def model(build_class: BuildClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(f"text {number}")
    monkeypatch.chdir(tmp_path)
    with load_archive(build_class(BODY), device="cpu") as model:
        yield model


PATHS = [f"{number}.txt" for number in range(5)]


@pytest.mark.parametrize(("size", "batches"), [(2, [2, 2, 1]), (5, [5]), (None, [5])])
def test_files_are_answered_in_their_order_batch_by_batch(
    model: Model, size: int | None, batches: list[int]
) -> None:
    rows = list(Here(model, Question(), size).rows(PATHS))
    assert [len(some) for some in rows] == batches
    assert [row.path for some in rows for row in some] == PATHS
    assert [row.response["said"] for some in rows for row in some] == [
        f"text {number}" for number in range(5)
    ]
    assert model.handler.seen == batches
    assert model.metrics.measurements == []


def test_a_file_that_cannot_be_read_is_not_asked_and_has_its_status(model: Model) -> None:
    os.unlink("1.txt")
    os.mkdir("1.txt")
    ((*rows,),) = Here(model, Question(), 8).rows(["0.txt", "gone.txt", "1.txt", "2.txt"])
    assert [row.status for row in rows] == [200, 404, 500, 200]
    assert json.loads(rows[1].content)["type"] == "FileNotFoundError"
    assert model.handler.seen == [2]
    ((row,),) = Here(model, Question(), 8).rows(["gone.txt"])
    assert (row.status, model.handler.seen) == (404, [2])


def test_options_and_standard_input_are_sent(model: Model) -> None:
    here = Here(model, Question((("topk", "3"),)), 1, b"piped")
    answers = [answer.response for some in here.answers(["-", "0.txt"]) for _, answer in some]
    assert [answer["said"] for answer in answers] == ["piped", "text 0"]
    assert answers[0]["topk"] == "bytearray(b'3')"


def test_the_next_batch_is_read_while_one_is_answered(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    content = module.read_content
    monkeypatch.setattr(module, "read_content", lambda path: read.append(Path(path).name) or content(path))
    answers = Here(model, Question(), 2).answers(PATHS)
    next(answers)
    assert set(read) <= {"0.txt", "1.txt", "2.txt", "3.txt"}
    assert {"0.txt", "1.txt"} <= set(read)
    next(answers)
    assert {"2.txt", "3.txt"} <= set(read)


def test_what_is_read_at_once_is_bounded_by_its_bytes_too() -> None:
    sizes = {"a": 1, "b": 1, "c": 9, "d": 20, "e": 1, "f": 1, "g": 1, "h": 1}
    assert list(groups(sizes, 3, 10, sizes.__getitem__)) == [["a", "b"], ["c"], ["d"], ["e", "f", "g"], ["h"]]
    assert list(groups(sizes, 3, 0, sizes.__getitem__)) == [["a", "b", "c"], ["d", "e", "f"], ["g", "h"]]
    assert list(groups([], 3, 10, sizes.__getitem__)) == []


def test_without_a_size_large_files_come_in_small_batches(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BYTES_AT_ONCE", 15)  # of two files
    assert [len(some) for some in Here(model, Question(), None).rows(PATHS)] == [2, 2, 1]
    assert [len(some) for some in Here(model, Question(), 4).rows(PATHS)] == [4, 1]
