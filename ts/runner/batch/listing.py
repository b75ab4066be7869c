"""The files that inputs of the command line stand for."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ts.runner.errors import InputError
from ts.runner.fetching.reference import URL

HIDDEN = re.compile(r"(^|/)\.")


def list_files(inputs: Sequence[str]) -> Iterator[str]:
    """The files that are named, and those below the folders that are; in no order, and maybe twice.

    A path begins as its input does: `photos` has `photos/a/b.jpg`. Files and folders whose names begin with a dot
    are left out unless they are inputs themselves, as is what is no file; links to folders are not followed.

    Args:
        inputs: Paths, or URLs that fsspec opens, of files and folders.

    Raises:
        InputError: An input is not there, before the first file is given; or a folder cannot be read.
    """
    places = [(name, remote_place(name) if URL.match(name) else None) for name in inputs]
    missing = [name for name, remote in places if not (remote[2] if remote else os.path.exists(name))]
    if missing:
        raise InputError(f"no such file or folder: {', '.join(missing)}")
    for name, remote in places:
        if remote:
            yield from remote_files(name, *remote[:2])
        elif os.path.isdir(name):
            yield from files_below(name)
        else:
            yield name


def files_below(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (os.path.join(parent, name) for name in files if not name.startswith("."))
        yield from filter(os.path.isfile, paths)


def refuse(error: OSError) -> None:
    raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error


def remote_place(url: str) -> tuple[Any, str, bool]:
    """The file system of a URL, its path there, and whether there is such a file or folder.

    Raises:
        InputError: The URL cannot be opened.
    """
    from fsspec.core import url_to_fs

    if "::" in url:
        raise InputError(f"{url} is a chain of URLs, of which no folder can be listed")
    try:
        system, path = url_to_fs(url)
        return system, path, system.exists(path)
    except (ImportError, OSError, ValueError) as error:
        raise InputError(f"{url} cannot be opened: {error}") from error


def remote_files(url: str, system: Any, path: str) -> Iterator[str]:
    if system.isfile(path):
        yield url
        return
    for found in system.find(path):
        if not HIDDEN.search(found[len(path) :]):
            yield system.unstrip_protocol(found)
