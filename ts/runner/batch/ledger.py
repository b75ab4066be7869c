"""A job's files and their answers on disk, while it is at work."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

from ts.runner.batch.row import Row, shown
from ts.runner.errors import InputError

TABLES = """
CREATE TABLE IF NOT EXISTS job (facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    path TEXT NOT NULL UNIQUE, name BLOB, status INTEGER, content_type TEXT, content BLOB, saved TEXT
);
"""
COLUMNS = ", ".join(Row._fields)


class Ledger:
    """An SQLite file with a row for each file of a job, in which its answer is put down when it comes.

    What `record` has taken outlives this process, however it ends.

    Files are in the order in which they were put down.

    Args:
        place: Of the file, which is made where there is none; None for one that goes with this process.

    Attributes:
        is_open: Until it is closed or deleted.

    Raises:
        InputError: It cannot be opened, or another process has it.
    """

    def __init__(self, place: Optional[Path]) -> None:
        self.place = place
        self.is_open = True
        try:
            self._file = sqlite3.connect(str(place or ""), timeout=0.5)
            # A lock for as long as this process lives; so it needs no shared memory, which no network's disk has.
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.executescript(TABLES)
        except sqlite3.Error as error:
            held = "locked" in str(error)
            reason = "another process is at work on it" if held else str(error)
            raise InputError(f"{place} cannot be opened: {reason}") from error

    @property
    def facts(self) -> Optional[dict[str, Any]]:
        """What the job is; None where it was not said yet."""
        found = self._file.execute("SELECT facts FROM job").fetchone()
        return json.loads(found[0]) if found else None

    @facts.setter
    def facts(self, facts: dict[str, Any]) -> None:
        with self._writing():
            self._file.execute("DELETE FROM job")
            self._file.execute("INSERT INTO job VALUES (?)", (json.dumps(facts),))

    def clear(self) -> None:
        """Forgets all files and answers."""
        with self._writing():
            self._file.execute("DELETE FROM job")
            self._file.execute("DELETE FROM files")

    def add(self, paths: Iterable[str]) -> None:
        """Puts down files to be answered; those that are there already stay as they are."""
        with self._writing():
            self._file.executemany(
                "INSERT OR IGNORE INTO files (path, name) VALUES (?, ?)",
                ((shown(path), os.fsencode(path)) for path in paths),
            )

    def record(self, rows: Iterable[Row]) -> int:
        """Puts down answers; a file's first one stays. Returns how many were new."""
        with self._writing():
            before = self._file.total_changes
            self._file.executemany(
                "INSERT INTO files (path, status, content_type, content, saved) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (path) DO UPDATE SET status = excluded.status, content_type = excluded.content_type,"
                " content = excluded.content, saved = excluded.saved WHERE status IS NULL",
                ((shown(row.path), *row[1:]) for row in rows),
            )
            return self._file.total_changes - before

    def has_answer(self, path: str) -> bool:
        asked = "SELECT 1 FROM files WHERE path = ? AND status IS NOT NULL"
        return self._file.execute(asked, (shown(path),)).fetchone() is not None

    def unanswered(self, most: int) -> list[str]:
        """The first files without an answer."""
        asked = "SELECT name FROM files WHERE status IS NULL ORDER BY rowid LIMIT ?"
        return [os.fsdecode(name) for (name,) in self._file.execute(asked, (most,))]

    def rows(self) -> Iterator[Row]:
        """All answers."""
        asked = f"SELECT {COLUMNS} FROM files WHERE status IS NOT NULL ORDER BY rowid"
        return map(Row._make, self._file.execute(asked))

    def refused(self, most: int) -> list[Row]:
        """The first answers that are no 200."""
        asked = f"SELECT {COLUMNS} FROM files WHERE status != 200 ORDER BY rowid LIMIT ?"
        return [Row(*found) for found in self._file.execute(asked, (most,))]

    def saved(self) -> Iterator[str]:
        """The files that hold answers."""
        asked = "SELECT saved FROM files WHERE saved IS NOT NULL"
        return (place for (place,) in self._file.execute(asked))

    def counts(self) -> dict[Optional[int], int]:
        """How many files have each status; None counts those without an answer."""
        return dict(self._file.execute("SELECT status, count(*) FROM files GROUP BY status ORDER BY status"))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All that happens in a `with` block, or nothing of it.

        Raises:
            InputError: It cannot be written.
        """
        try:
            with self._file:
                yield
        except sqlite3.Error as error:
            raise InputError(f"{self.place} cannot be written: {error}") from error

    def close(self) -> None:
        self._file.close()
        self.is_open = False

    def delete(self) -> None:
        """Closes it, and takes it away."""
        self.close()
        for ending in ("", "-wal", "-shm") if self.place else ():
            with suppress(FileNotFoundError):
                os.unlink(f"{self.place}{ending}")
