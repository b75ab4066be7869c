"""The files that inputs of the command line stand for."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Callable

from ts.runner.errors import InputError
from ts.runner.fetching.reference import URL

STDIN = "-"  # stands for standard input
HIDDEN = re.compile(r"(^|/)\.")

Wanted = Callable[[str], bool]


def list_files(inputs: Sequence[str], wanted: Wanted = lambda _: True) -> Iterator[str]:
    """The files that are named, and those below the folders that are, in the order of inputs and then of names.

    A path begins as its input does: `photos` has `photos/a/b.jpg`. Files and folders whose names begin with a dot
    are left out unless they are inputs themselves, as is what is no file; links to folders are not followed. Links
    that lead nowhere are files, since whoever made them meant one.

    Args:
        inputs: Paths, or URLs that fsspec opens, of files and folders; patterns of such, with `*`, `?`, `[...]`
            and `**` for any folders; `STDIN`, which is given as it is. A file that several inputs stand for is
            given several times.
        wanted: Whether a file of a folder is to be given.

    Raises:
        InputError: An input is not there; or, while files are given, a folder cannot be read.
    """
    found = [(name, places(name)) for name in inputs]
    missing = [name for name, there in found if not there]
    if missing:
        raise InputError(f"no such file or folder: {', '.join(missing)}")
    return chain.from_iterable(place.files(wanted) for _, there in found for place in there)


def listed_files(names: Sequence[str], wanted: Wanted = lambda _: True) -> Iterator[str]:
    """As `list_files`, for the names of a list: none is a pattern, and those that are not there are files too.

    Raises:
        InputError: None of them is there.
    """
    if names and not any(URL.match(name) or os.path.lexists(name) for name in names):
        raise InputError(f"of {len(names):,} listed files none is there; the first is {names[0]}")
    return chain.from_iterable(Local(name).files(wanted) for name in names)


def read_list(name: str) -> list[str]:
    r"""The names in a file, one a line, or with a NUL after each, as `find -print0` writes them.

    Args:
        name: Of the file; `STDIN` for standard input.

    Raises:
        InputError: It cannot be read, or is empty.
    """
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"--inputs-from {name} cannot be read: {error.strerror}") from error
    lines = content.split(b"\0") if b"\0" in content else content.splitlines()
    names = [os.fsdecode(line) for line in (line.removeprefix(b"\xef\xbb\xbf") for line in lines) if line]
    if not names:
        raise InputError(f"--inputs-from {name} names no input")
    return names


class Local:
    """A file or folder of this machine, or what is none of both."""

    def __init__(self, path: str) -> None:
        self._path = path

    def files(self, wanted: Wanted) -> Iterator[str]:
        pending = [(self._path, os.path.isdir(self._path))]
        while pending:
            path, is_folder = pending.pop()
            if is_folder:
                pending.extend(reversed(entries_of(path)))
            elif path == self._path or wanted(path):
                yield path


class Remote:
    """A file or folder behind a URL."""

    def __init__(self, url: str, system: Any, path: str) -> None:
        self._url, self._system, self._path = url, system, path

    def files(self, wanted: Wanted) -> Iterator[str]:
        if self._system.isfile(self._path):
            yield self._url
            return
        for found in sorted(self._system.find(self._path)):
            if not HIDDEN.search(found[len(self._path) :]) and wanted(found):
                yield self._system.unstrip_protocol(found)


class Matches:
    """What a pattern stands for, each file once."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def files(self, wanted: Wanted) -> Iterator[str]:
        given = set()
        for path in self._paths:
            for file in Local(path).files(wanted):
                if file not in given:
                    given.add(file)
                    yield file


def matches(pattern: str) -> list[str]:
    """The files and folders of a pattern, by name; `**` follows no links, which may lead in a circle."""
    folder = fixed_folder(pattern)
    rest = Path(pattern).parts[len(folder.parts) :]
    # As shells have it: two stars are any folders only where they stand alone.
    asked = "/".join(part if part == "**" else re.sub(r"\*+", "*", part) for part in rest)
    found = (path for path in folder.glob(asked) if is_file(str(path)) or path.is_dir())
    if not any(part.startswith(".") for part in rest):
        found = (path for path in found if not is_hidden(path.relative_to(folder)))
    return [str(path) for path in sorted(found)]


def fixed_folder(pattern: str) -> Path:
    """The folder in which a pattern looks for files."""
    parts = Path(pattern).parts
    return Path(*parts[: next(index for index, part in enumerate(parts) if glob.has_magic(part))])


def is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def places(name: str) -> Sequence[Local | Matches | Remote]:
    """What an input stands for; nothing if it is not there.

    Raises:
        InputError: The URL cannot be opened.
    """
    if URL.match(name):
        return remote_places(name)
    if name == STDIN or os.path.exists(name):
        return [Local(name)]
    found = matches(name) if glob.has_magic(name) else []
    return [Matches(found)] if found else []


def remote_places(url: str) -> Sequence[Remote]:
    from fsspec.core import url_to_fs

    if "::" in url:
        raise InputError(f"{url} is a chain of URLs, of which no folder can be listed")
    try:
        system, path = url_to_fs(url)
        if system.exists(path):
            return [Remote(url, system, path)]
        found = sorted(system.glob(path)) if glob.has_magic(path) else []
        return [Remote(system.unstrip_protocol(place), system, place) for place in found]
    except (ImportError, OSError, ValueError) as error:
        raise InputError(f"{url} cannot be opened: {error}") from error


def entries_of(folder: str) -> list[tuple[str, bool]]:
    """The files and folders in a folder by name, and whether each is a folder.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error
    paths = (os.path.join(folder, name) for name in names)
    return [(path, is_folder) for path in paths if (is_folder := is_plain_folder(path)) or is_file(path)]


def is_plain_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def is_file(path: str) -> bool:
    """Whether it is one, or a link that leads nowhere."""
    return os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))
