"""The answers as a Parquet file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ts.runner.batch.row import Row
from ts.runner.errors import InputError

COLUMNS = [
    ("path", pa.string()),
    ("status", pa.int32()),
    ("content_type", pa.string()),
    ("answer", pa.string()),
    ("body", pa.binary()),
]
SAVED = ("saved", pa.string())  # one column more, where answers are saved
FACTS = b"torchserve_handlers"  # the key of what was asked, in the file's metadata
ROWS_AT_ONCE, BYTES_AT_ONCE = 1000, 64 << 20  # of a row group, which is held in memory


def write_table(path: Path, rows: Iterable[Row], facts: dict[str, Any], *, saved: bool = False) -> None:
    """Writes rows in their order; the file is there as a whole or not at all.

    Args:
        path: Of the file.
        rows: The answers.
        facts: What they depend on.
        saved: Whether answers are files, too: then those that are bytes are in their files alone.

    Raises:
        InputError: It cannot be written.
    """
    columns = [*COLUMNS, SAVED] if saved else COLUMNS
    schema = pa.schema(columns, metadata={FACTS: json.dumps(facts)})
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pq.ParquetWriter(str(part), schema, compression="zstd") as writer:
            for some in groups(rows):
                writer.write_table(table_of(some, schema))
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows, so many at a time as are held in memory; a larger one alone."""
    some: list[Row] = []
    size = 0
    for row in rows:
        if some and (len(some) == ROWS_AT_ONCE or size + len(row.content) > BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(row)
        size += len(row.content)
    if some:
        yield some


def table_of(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """Texts in the column `answer`, all else in the column `body`."""
    texts = [None if row.saved is not None and not row.content else row.text for row in rows]
    columns = [
        [row.path for row in rows],
        [row.status for row in rows],
        [row.content_type for row in rows],
        texts,
        [row.content if text is None and row.saved is None else None for row, text in zip(rows, texts)],
        [row.saved for row in rows],
    ]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema)], schema)


def read_facts(path: Path) -> dict[str, Any]:
    """What the answers of a table were asked for.

    Raises:
        InputError: It is no such table.
    """
    try:
        return json.loads((pq.read_schema(str(path)).metadata or {})[FACTS])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path} is no table of answers that this command has written") from error


def read_rows(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(str(path)) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            for found in batch.to_pylist():
                text = found["answer"]
                content = (found["body"] or b"") if text is None else text.encode()
                yield Row(found["path"], found["status"], found["content_type"], content, found.get("saved"))
