"""A file of answers that grows line by line, and what its answers were asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from ts.runner.batch.outputs.lines import LineFormat
from ts.runner.batch.row import Row
from ts.runner.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


class LinesFile:
    """A file that only this process writes, as long as it is open.

    Beside it lies `.NAME.job`, which holds the facts: what answers depend on. It stays, so that answers can be
    added to the file whenever there are new inputs.

    Args:
        path: Of the file, which is made where there is none.
        written: How rows are lines.

    Attributes:
        is_new: Whether there was none.

    Raises:
        InputError: It cannot be opened, or another process is at work on it.
    """

    def __init__(self, path: Path, written: LineFormat) -> None:
        self._path, self._format = path, written
        self.is_new = not path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise self._unwritable(error) from error
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(self._file)
                raise InputError(f"{path} cannot be opened: another process is at work on it") from error
        self._size = os.fstat(self._file).st_size

    @property
    def facts_place(self) -> Path:
        return self._path.with_name(f".{self._path.name}.job")

    @property
    def facts(self) -> Optional[dict[str, Any]]:
        """What its answers were asked for; None where that is not known."""
        try:
            return json.loads(self.facts_place.read_bytes())
        except (OSError, ValueError):
            return None

    def begin(self, facts: dict[str, Any]) -> None:
        """Empties it.

        Raises:
            InputError: It cannot be written.
        """
        try:
            self._cut(0)
            self.facts_place.write_text(json.dumps(facts), encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        self._write(self._format.header)

    def rows(self) -> Iterator[Row]:
        """Its answers so far; what a process that was killed has left behind them is cut off.

        Raises:
            InputError: It holds something else.
        """
        end = 0
        try:
            with open(self._path, "rb") as file:
                for row, row_end in self._format.rows(file):
                    end = row_end
                    yield row
        except ValueError as error:
            raise InputError(f"{self._path} {error}: --resume cannot go on with it") from error
        self._cut(end)
        if end == 0:
            self._write(self._format.header)
        elif not self._ends_a_line():
            self._write(b"\n")

    def append(self, rows: Sequence[Row]) -> None:
        """Writes rows behind the others, all of them or none.

        Raises:
            InputError: They cannot be written.
        """
        self._write(b"".join(map(self._format.line, rows)))

    def close(self) -> None:
        with suppress(OSError):
            os.fsync(self._file)
        os.close(self._file)

    def delete(self) -> None:
        self.close()
        for path in (self._path, self.facts_place):
            with suppress(OSError):
                path.unlink()

    def _ends_a_line(self) -> bool:
        os.lseek(self._file, -1, os.SEEK_END)
        return os.read(self._file, 1) == b"\n"

    def _write(self, content: bytes) -> None:
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            with suppress(OSError):
                self._cut(self._size)
            raise self._unwritable(error) from error
        self._size += len(content)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._file, size)
        os.lseek(self._file, size, os.SEEK_SET)
        self._size = size

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"{self._path} cannot be written: {error.strerror}")
