"""Answers as JSON lines and CSV, as other tools read them, and as they are read back."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Optional

import pytest

from ts.runner.batch.outputs.lines import CSV_COLUMNS, CommaSeparated, JsonLines, LineFormat, best_of
from ts.runner.batch.row import Row

ROWS = [
    Row("a.jpg", 200, None, b'{\n  "tabby": 0.9,\n  "cat": 0.05\n}'),
    Row('b, "2"\n.jpg', 400, "application/json", '{"code": 400, "message": "größer"}'.encode()),
    Row("c.jpg", 200, "image/png", b"\x89PNG"),
    Row("d.jpg", 200, "image/png", b"\x89PNG", "out/d.png"),
    Row("e.jpg", 200, "text/plain", b'a "text"\nof two lines'),
    Row("a\udcff.jpg", 200, None, b'"\\ud800"'),
]
# What is known of rows that are read back: of a 200 that there is one.
READ = [
    Row("a.jpg", 200, None, b""),
    Row('b, "2"\n.jpg', 400, None, '{"code": 400, "message": "größer"}'.encode()),
    Row("c.jpg", 200, None, b""),
    Row("d.jpg", 200, None, b"", "out/d.png"),
    Row("e.jpg", 200, None, b""),
    Row(r"a\xff.jpg", 200, None, b""),
]


def lines(written: LineFormat) -> bytes:
    return written.header + b"".join(map(written.line, ROWS))


def test_json_lines_have_the_documents_of_json() -> None:
    assert [json.loads(line) for line in lines(JsonLines()).decode().splitlines()] == [
        {"input": "a.jpg", "status": 200, "response": {"tabby": 0.9, "cat": 0.05}},
        {"input": 'b, "2"\n.jpg', "status": 400, "response": {"code": 400, "message": "größer"}},
        {"input": "c.jpg", "status": 200, "response": "data:image/png;base64,iVBORw=="},
        {"input": "d.jpg", "status": 200, "response": None, "saved": "out/d.png"},
        {"input": "e.jpg", "status": 200, "response": 'a "text"\nof two lines'},
        {"input": r"a\xff.jpg", "status": 200, "response": "\ud800"},
    ]


def test_csv_has_the_best_class_and_the_whole_answer() -> None:
    header, *found = csv.reader(io.StringIO(lines(CommaSeparated()).decode(), newline=""))
    assert header == list(CSV_COLUMNS)
    assert found == [
        ["a.jpg", "200", "tabby", "0.9", '{"tabby": 0.9, "cat": 0.05}', ""],
        ['b, "2"\n.jpg', "400", "", "", '{"code": 400, "message": "größer"}', ""],
        ["c.jpg", "200", "", "", "data:image/png;base64,iVBORw==", ""],
        ["d.jpg", "200", "", "", "", "out/d.png"],
        ["e.jpg", "200", "", "", 'a "text"\nof two lines', ""],
        [r"a\xff.jpg", "200", "", "", r"\ud800", ""],
    ]


@pytest.mark.parametrize(
    "written", [JsonLines(), CommaSeparated()], ids=lambda written: type(written).__name__
)
def test_rows_are_read_back_up_to_wherever_a_process_was_killed(written: LineFormat) -> None:
    content = lines(written)
    ends = [len(written.header)]
    for row in ROWS:
        ends.append(ends[-1] + len(written.line(row)))
    for size in range(len(content) + 1):
        found = list(written.rows(io.BytesIO(content[:size])))
        whole = sum(end <= size for end in ends[1:])
        if isinstance(written, JsonLines) and size + 1 in ends[1:]:
            whole += 1  # only the end of the line is missing
        assert [row for row, _ in found] == READ[:whole], size
        assert all(end <= size for _, end in found)
        if whole:
            assert content[: found[-1][1]].rstrip(b"\n") == content[: ends[whole]].rstrip(b"\n")


@pytest.mark.parametrize(
    ("written", "content", "message"),
    [
        (JsonLines(), b'{"input": "a", "status": 200}\nno json\n{"input": "b"}\n', "has no answer in line 2"),
        (JsonLines(), b"[1]\n", "has no answer in line 1"),
        (CommaSeparated(), b"name,age\na,1\n", "has other columns than input, status, label"),
    ],
)
def test_other_files_are_not_read(written: LineFormat, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(written.rows(io.BytesIO(content)))


def test_answers_longer_than_a_cell_of_pythons_csv_are_read_back() -> None:
    written = CommaSeparated()
    row = Row("a", 400, None, json.dumps({"message": "x" * 1_000_000}).encode())
    assert [found for found, _ in written.rows(io.BytesIO(written.header + written.line(row)))] == [row]


@pytest.mark.parametrize(
    ("response", "label", "score"),
    [
        ({"cat": 0.1, "tabby": 0.9}, "tabby", 0.9),
        ({}, "", ""),
        ({"cat": 0.1, "box": [1, 2]}, "", ""),
        ({"cat": True}, "", ""),
        ([{"cup": [1, 2, 3, 4], "score": 0.4}, {"bowl": [1, 2, 3, 4], "score": 0.6}], "bowl", 0.6),
        ([{"bbox": [1, 2, 3, 4], "category_name": "cup", "score": 0.4}], "cup", 0.4),
        ([], "", ""),
        ([[0.0, 0.9]], "", ""),
        ([{"cup": [1, 2, 3, 4]}], "", ""),
        ("text", "", ""),
        (None, "", ""),
    ],
)
def test_the_best_of_an_answer(response: Any, label: str, score: Optional[float]) -> None:
    assert best_of(response) == (label, score)
