"""What a network is quantized with, and judged by: photos of a folder, texts of a file."""

from __future__ import annotations

import csv
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Union

from ts.runner.answering.payload import Input
from ts.runner.batch.known import Known
from ts.runner.batch.listing import list_files
from ts.runner.batch.question import read_content
from ts.runner.batch.wanted import Wanted, by_name
from ts.runner.errors import InputError
from ts.runner.fetching.reference import URL

FEWEST = 10  # inputs to calibrate with: judged is what came of them
FEWEST_HELD_OUT = 50  # to judge by: one of them is 0.02
MOST_HELD_OUT = 1000
COLUMN = "text"  # of a table


@dataclass(frozen=True)
class Data:
    """Inputs in two parts that have none in common.

    Attributes:
        calibration: by which the ranges of numbers in the network are found.
        held_out: by which it is judged.
        repeated: how many others had the content of one of them.
    """

    calibration: list[Input]
    held_out: list[Input]
    repeated: int


def read_data(names: Sequence[str], known: Known, column: Optional[str], most: int, seed: int) -> Data:
    """Reads inputs, and parts them by chance.

    Args:
        names: files, folders, patterns and URLs, as `predict` takes them; and for handlers that read texts a file
            with one a line (.txt, .jsonl), or a row (.csv, .tsv).
        known: of the handler.
        column: of a table, the one with the texts.
        most: to calibrate with.
        seed: of the parting: the same one parts the same inputs in the same way.

    Raises:
        InputError: one cannot be read, or there are too few.
    """
    found = list(_inputs(names, known, column))
    random.Random(seed).shuffle(found)
    inputs, repeated = _different(found, most + MOST_HELD_OUT)
    if len(inputs) < FEWEST + FEWEST_HELD_OUT:
        raise InputError(
            f"--data has {len(inputs)} different inputs, and at least {FEWEST + FEWEST_HELD_OUT} are wanted:"
            f" {FEWEST} to calibrate with, and {FEWEST_HELD_OUT} others to judge by"
        )
    count = max(FEWEST, min(most, len(inputs) // 2, len(inputs) - FEWEST_HELD_OUT))
    return Data(inputs[:count], inputs[count : count + MOST_HELD_OUT], repeated)


def _different(found: Sequence[Union[Input, _Remote]], most: int) -> tuple[list[Input], int]:
    """The first inputs, at most so many, that differ in content; and how many others were passed over."""
    different: dict[bytes, Input] = {}
    repeated = 0
    for item in found:
        content = read_content(item.url) if isinstance(item, _Remote) else item
        digest = _digest(content)
        repeated += digest in different
        different.setdefault(digest, content)
        if len(different) == most:
            break
    return list(different.values()), repeated


class _Remote(NamedTuple):
    url: str


def _inputs(names: Sequence[str], known: Known, column: Optional[str]) -> Iterator[Union[Input, _Remote]]:
    fits, what = by_name(known.payloads, known.formats)
    for name in names:
        read = READERS.get(Path(name).suffix.lower()) if what != "images" else None
        if read is not None and Path(name).is_file():
            yield from read(Path(name), column)
        else:
            yield from map(_file, list_files([name], Wanted(fits, what)))


def _file(name: str) -> Union[Path, _Remote]:
    return _Remote(name) if URL.match(name) else Path(name)


def _digest(item: Input) -> bytes:
    """What tells inputs from each other."""
    if isinstance(item, Path):
        try:
            content = item.read_bytes()
        except OSError as error:
            raise InputError(f"{item} cannot be read: {error.strerror}") from error
    else:
        content = bytes(item) if isinstance(item, (bytes, bytearray)) else json.dumps(item).encode()
    return hashlib.sha256(content).digest()


def _lines(path: Path, _: Optional[str]) -> Iterator[str]:
    return (line for line in map(str.strip, _text(path).splitlines()) if line)


def _values(path: Path, _: Optional[str]) -> Iterator[Input]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        try:
            value = json.loads(line) if line.strip() else None
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
        if value is not None:
            yield value if isinstance(value, (str, dict, list)) else json.dumps(value)


def _rows(path: Path, column: Optional[str]) -> Iterator[str]:
    dialect = "excel-tab" if path.suffix.lower() == ".tsv" else "excel"
    rows = csv.DictReader(_text(path).splitlines(keepends=True), dialect=dialect)
    names = list(rows.fieldnames or [])
    wanted = column or (names[0] if len(names) == 1 else COLUMN)
    if wanted not in names:
        raise InputError(f"{path} has no column {wanted}: --column names one of {', '.join(names) or 'none'}")
    try:
        return (row[wanted] for row in list(rows) if row[wanted])
    except csv.Error as error:
        raise InputError(f"{path}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


READERS: dict[str, Callable[[Path, Optional[str]], Iterator[Input]]] = {
    ".txt": _lines,
    ".jsonl": _values,
    ".ndjson": _values,
    ".csv": _rows,
    ".tsv": _rows,
}
