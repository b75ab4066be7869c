"""Answers as files of a folder, under the names of their inputs."""

from __future__ import annotations

import glob
import mimetypes
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Optional

from ts.runner.batch.listing import STDIN, fixed_folder
from ts.runner.batch.row import Row, shown
from ts.runner.errors import InputError
from ts.runner.fetching.reference import URL, without_credentials

# Where mimetypes differs from one Python or machine to another.
SUFFIXES = {
    "application/json": ".json",
    "application/octet-stream": ".bin",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "text/plain": ".txt",
}
LONGEST_NAME = 255  # bytes
SUFFIX = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,5}$")  # and no date or number
CONTROL = re.compile(r"[\0-\x1f\x7f]")


class Saver:
    """Writes each answer that is a 200 into a folder, which it makes.

    `photos/a/b.jpg` has `FOLDER/a/b.png`, if all inputs lie below `photos` and its answer is a PNG. Where two
    inputs differ by their suffixes alone, the second has `FOLDER/a/b.jpg.png`.

    Args:
        folder: Of the files.
        inputs: What was asked for, as the command line has it, of which the deepest folder that holds all is where
            the tree of the names begins.
        taken: The files of answers that are there already, and stay.
    """

    def __init__(self, folder: Path, inputs: Iterable[str], taken: Iterable[str] = ()) -> None:
        self._folder, self._root = folder, os.path.realpath(folder)
        self._base = common_folder(inputs)
        self._taken = {os.path.normcase(path).casefold() for path in taken}

    def __call__(self, rows: Sequence[Row]) -> list[Row]:
        """Writes the answers; the rows say where.

        Raises:
            InputError: One cannot be written.
        """
        return [row._replace(saved=self._save(row)) if row.status == 200 else row for row in rows]

    def _save(self, row: Row) -> str:
        path = self._free(row)
        try:
            if not holds(self._root, os.path.realpath(path.parent)):
                raise InputError(f"{path} is not written: a link there leads out of {self._folder}")
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                path.unlink()  # never what a link leads to
            path.write_bytes(row.content)
        except OSError as error:
            raise InputError(f"{shown(str(path))} cannot be written: {error.strerror}") from error
        return shown(str(path))

    def _free(self, row: Row) -> Path:
        """The first of the names for an answer that no other has."""
        name, suffix = self._name(row.path), suffix_of(row)
        numbered = (name.with_name(f"{name.name}-{number}") for number in range(2, 1_000_000))
        without_suffix = name.with_name(SUFFIX.sub("", name.name))
        for start in chain((without_suffix, name), numbered):
            path = self._folder / start.parent / (shortened(start.name, suffix) + suffix)
            key = os.path.normcase(shown(str(path))).casefold()
            if key not in self._taken:
                self._taken.add(key)
                return path
        raise InputError(f"{row.path} has more namesakes than can be told from each other")

    def _name(self, path: str) -> PurePosixPath:
        """Where an input lies below the folder of all; of a URL, without its scheme."""
        if path == STDIN:
            return PurePosixPath("stdin")
        if URL.match(path):
            parts = URL.sub("", without_credentials(path), count=1)
        else:
            parts = os.path.relpath(os.path.abspath(path), self._base)
        plain = [CONTROL.sub("_", part) for part in Path(parts).parts if part not in ("..", ".", os.sep)]
        return PurePosixPath(*(plain or ["_"]))


def common_folder(inputs: Iterable[str]) -> str:
    """The deepest folder that holds all files and folders, URLs left out; a folder holds itself."""
    base: Optional[str] = None
    for name in inputs:
        if name != STDIN and not URL.match(name):
            path = os.path.abspath(without_pattern(name))
            folder = path if os.path.isdir(path) else os.path.dirname(path)
            base = folder if base is None else os.path.commonpath([base, folder])
    return base or os.getcwd()


def without_pattern(name: str) -> str:
    """The folder in which a pattern looks for files; any other input as it is."""
    return str(fixed_folder(name)) if glob.has_magic(name) and not os.path.lexists(name) else name


def holds(folder: str, path: str) -> bool:
    """Whether a path, without links, is a folder or lies in it."""
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


def suffix_of(row: Row) -> str:
    """By the content type; without one `.json`, `.txt` or `.bin` by what the content is."""
    kind = (row.content_type or "").partition(";")[0].strip().lower()
    if kind:
        return SUFFIXES.get(kind) or mimetypes.guess_extension(kind) or ".bin"
    if isinstance(row.response, bytes):
        return ".bin"
    return ".txt" if isinstance(row.response, str) else ".json"


def shortened(name: str, suffix: str) -> str:
    """A name that a file system takes with the suffix."""
    room = LONGEST_NAME - len(suffix)
    content = os.fsencode(name)
    return name if len(content) <= room else content[:room].decode(errors="ignore")


def check_folder(folder: Path, inputs: Iterable[str], may_be_there: bool) -> None:
    """Refuses a folder whose files would be overwritten.

    Raises:
        InputError: It is no folder, or an input lies in it; or it holds files, and that is not said to be right.
    """
    root = os.path.realpath(folder)
    if os.path.lexists(root) and not os.path.isdir(root):
        raise InputError(f"--save {folder} is no folder")
    for name in inputs:
        is_here = name != STDIN and not URL.match(name)
        if is_here and holds(root, os.path.realpath(without_pattern(name))):
            raise InputError(
                f"--save {folder} holds {name}, which answers might replace: name another folder"
            )
    if not may_be_there and os.path.isdir(root) and os.listdir(root):
        raise InputError(
            f"--save {folder} is not empty: name another folder, or replace files in it by --force"
        )
