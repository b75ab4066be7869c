"""The table of answers, as other tools read it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

import pyarrow.parquet

from ts.runner.batch.outputs import table
from ts.runner.batch.outputs.table import read_facts, read_rows, write_table
from ts.runner.batch.row import Row
from ts.runner.errors import InputError

ROWS = [
    Row("a.jpg", 200, None, b'{"tabby": 0.9}'),
    Row("b.jpg", 400, "application/json", b'{"code": 400}'),
    Row("c.jpg", 200, "image/png", b"\x89PNG"),
]
FACTS = {"model": "kitten", "options": {"topk": "3"}}


def test_texts_and_bytes_have_columns_of_their_own(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", ROWS, FACTS)
    found = pyarrow.parquet.read_table(str(tmp_path / "a.parquet"))
    assert [str(field.type) for field in found.schema] == ["string", "int32", "string", "string", "binary"]
    assert found.to_pylist() == [
        {"path": "a.jpg", "status": 200, "content_type": None, "answer": '{"tabby": 0.9}', "body": None},
        {
            "path": "b.jpg",
            "status": 400,
            "content_type": "application/json",
            "answer": '{"code": 400}',
            "body": None,
        },
        {"path": "c.jpg", "status": 200, "content_type": "image/png", "answer": None, "body": b"\x89PNG"},
    ]


def test_it_is_read_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 2)
    write_table(tmp_path / "a.parquet", ROWS, FACTS)
    assert list(read_rows(tmp_path / "a.parquet")) == ROWS
    assert read_facts(tmp_path / "a.parquet") == FACTS


def test_no_more_is_held_in_memory_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(table, "BYTES_AT_ONCE", 10)
    rows = [Row(str(size), 200, None, b"x" * size) for size in (1, 1, 1, 1, 6, 4, 20, 1)]
    assert [[int(row.path) for row in some] for some in table.groups(rows)] == [
        [1, 1, 1],
        [1, 6],
        [4],
        [20],
        [1],
    ]
    assert list(table.groups([])) == []


def test_a_table_that_cannot_be_made_whole_leaves_the_old_one(tmp_path: Path) -> None:
    def breaking() -> object:
        yield ROWS[0]
        raise ValueError("no more")

    write_table(tmp_path / "a.parquet", ROWS, FACTS)
    with pytest.raises(ValueError, match="no more"):
        write_table(tmp_path / "a.parquet", breaking(), FACTS)  # type: ignore[arg-type]
    assert list(read_rows(tmp_path / "a.parquet")) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_other_files_are_no_tables_of_answers(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("no table")
    with pytest.raises(InputError, match=r"a\.parquet is no table of answers that this command has written"):
        read_facts(tmp_path / "a.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"x": [1]}), str(tmp_path / "b.parquet"))
    with pytest.raises(InputError, match=r"b\.parquet is no table of answers"):
        read_facts(tmp_path / "b.parquet")


def test_a_folder_that_cannot_be_written_in_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_table(tmp_path / "absent" / "a.parquet", ROWS, FACTS)
