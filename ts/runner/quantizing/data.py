"""What a network is quantized with, and judged by: photos of a folder, texts of a file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
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
SHORT, MOST_SHOWN = 60, 20  # letters of a text, and columns, where they are named


@dataclass(frozen=True)
class Data:
    """Inputs in two parts that have none in common.

    Attributes:
        calibration: by which the ranges of numbers in the network are found.
        held_out: by which it is judged.
        repeated: how many others had the content of one of them.
        names: of the inputs that are files or URLs, by their paths, as they were given.
    """

    calibration: list[Input]
    held_out: list[Input]
    repeated: int
    names: dict[Path, str]

    def name(self, item: Input) -> str:
        """What an input is called on the terminal."""
        if isinstance(item, Path):
            return self.names.get(item, str(item))
        text = " ".join((item if isinstance(item, str) else str(item)).split())
        return repr(text if len(text) <= SHORT else f"{text[:SHORT]}...")


def read_data(
    names: Sequence[str], known: Known, column: Optional[str], most: int, seed: int, folder: Path
) -> Data:
    """Reads inputs, and parts them by chance.

    Args:
        names: files, folders, patterns and URLs, as `predict` takes them; and for handlers that read texts a file
            with one a line (.txt, .jsonl), or a row (.csv, .tsv).
        known: of the handler.
        column: of a table, the one with the texts.
        most: to calibrate with.
        seed: of the parting: the same one parts the same inputs in the same way.
        folder: where what lies behind URLs is kept.

    Raises:
        InputError: one cannot be read, or there are too few.
    """
    fits, what = by_name(known.payloads, known.formats)
    wanted = Wanted(fits, what)
    found = list(_inputs(names, wanted, what != "images", column))
    random.Random(seed).shuffle(found)
    inputs, repeated = _different(found, most + MOST_HELD_OUT, folder)
    if len(inputs) < FEWEST + FEWEST_HELD_OUT:
        left_out = f" ({repeated} more have the content of others)" if repeated else ""
        left_out += f" ({wanted})" if wanted.left_out else ""
        raise InputError(
            f"--data has {len(inputs)} different inputs, and at least {FEWEST + FEWEST_HELD_OUT} are wanted:"
            f" {FEWEST} to calibrate with, and {FEWEST_HELD_OUT} others to judge by{left_out}"
        )
    count = max(FEWEST, min(most, len(inputs) // 2, len(inputs) - FEWEST_HELD_OUT))
    items = [item for item, _ in inputs]
    called = {item: name for item, name in inputs if isinstance(item, Path)}
    return Data(items[:count], items[count : count + MOST_HELD_OUT], repeated, called)


class _Url(NamedTuple):
    url: str


class _Named(NamedTuple):
    """An input, and what it is called where it is a file."""

    item: Input
    name: str = ""


def _different(found: Sequence[Union[_Named, _Url]], most: int, folder: Path) -> tuple[list[_Named], int]:
    """The first inputs, at most so many, that differ in content; and how many others were passed over."""
    different: dict[bytes, _Named] = {}
    repeated = 0
    for given in found:
        named = given if isinstance(given, _Named) else _fetched(given.url, folder / str(len(different)))
        digest = _digest(named.item)
        repeated += digest in different
        different.setdefault(digest, named)
        if len(different) == most:
            break
    return list(different.values()), repeated


def _fetched(url: str, stem: Path) -> _Named:
    """What lies behind a URL, as a file."""
    path = stem.with_suffix(PurePosixPath(url.partition("?")[0]).suffix)
    try:
        path.write_bytes(read_content(url))
    except Exception as error:  # file systems raise what they like
        raise InputError(f"{url} cannot be read: {error}") from error
    return _Named(path, url)


def _inputs(
    names: Sequence[str], wanted: Wanted, may_be_texts: bool, column: Optional[str]
) -> Iterator[Union[_Named, _Url]]:
    for name in names:
        read = READERS.get(Path(name).suffix.lower()) if may_be_texts else None
        if read is not None and Path(name).is_file():
            yield from map(_Named, read(Path(name), column))
        else:
            yield from map(_file, list_files([name], wanted))


def _file(name: str) -> Union[_Named, _Url]:
    return _Url(name) if URL.match(name) else _Named(Path(name).absolute(), name)


def _digest(item: Input) -> bytes:
    """What tells inputs from each other."""
    if isinstance(item, Path):
        try:
            content = item.read_bytes()
        except OSError as error:
            raise InputError(f"{item} cannot be read: {error.strerror}") from error
    else:
        content = json.dumps(item).encode()
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
    text = _text(path)
    first_line = text.partition("\n")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=first_line.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    names = list(rows[0]) if rows else []
    wanted = column or (names[0] if len(names) == 1 else COLUMN)
    if wanted not in names:
        there = ", ".join(str(name)[:SHORT] for name in names[:MOST_SHOWN])
        raise InputError(
            f"{path} has no column {wanted}: its first line has the columns' names, and --column names one of"
            f" {there or 'none'}"
        )
    return (row[wanted] for row in rows if row[wanted] and row[wanted].strip())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path} is not UTF-8 in line {line}: `iconv -t UTF-8` makes it so") from error


READERS: dict[str, Callable[[Path, Optional[str]], Iterator[Input]]] = {
    ".txt": _lines,
    ".jsonl": _values,
    ".ndjson": _values,
    ".csv": _rows,
    ".tsv": _rows,
}
