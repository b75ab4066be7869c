"""`--extra-files`: paths, folders and patterns, as the entries that they stand for.

The layout is that of torchserve's archiver: a file goes to the top of the archive, and so does the *content* of a
folder, with the tree below it kept.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..model_archiver_error import InputNotFoundError, ModelArchiverError
from ..publishing.publish import is_temporary
from .entry import Entry, file_entry, stat_source

JUNK = frozenset({"__pycache__", "__MACOSX", ".DS_Store"})
"""What interpreters and file managers leave in folders; never packed unless it is named outright."""

ROLE = "the extra file"


def extra_entries(extra_files: str | Sequence[str], target: Path) -> Iterator[Entry]:
    """Yields what `extra_files` stands for.

    Args:
        extra_files: Comma separated paths and patterns, or several such texts. A text that is itself a path is
            taken as it is, so names with commas and brackets work. `~` is the home folder, and `**/` in a
            pattern stands for folders of any depth: then the files that match are taken, and no folder.
        target: The archive that is being made; left out where it lies in one of the folders.

    Raises:
        ModelArchiverError: A path is missing or unreadable, a pattern matches nothing, or links go in a circle.
    """
    texts = [extra_files] if isinstance(extra_files, str) else extra_files
    for path in (path for text in texts for path in _paths(text)):
        if path.is_dir():
            yield from folder_entries(path, "", target)
        else:
            yield file_entry(path, path.name, ROLE)


def folder_entries(folder: Path, prefix: str, target: Path, parents: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Yields everything below `folder`, hidden files too, each named `prefix` plus its path below the folder.

    Raises:
        ModelArchiverError: A link below leads nowhere or back to a folder that holds it, or a file is unreadable.
    """
    real = os.path.realpath(folder)
    if real in parents:
        raise ModelArchiverError(f"{ROLE} {folder} is a link that leads in a circle, to {real}")
    for child in _children(folder):
        name = prefix + child.name
        if os.path.realpath(child) == str(target):
            continue
        if not _is_folder(child):
            yield file_entry(child, name, ROLE)
        elif _children(child):
            yield from folder_entries(child, f"{name}/", target, (*parents, real))
        else:
            yield Entry(name, is_folder=True)


def _paths(text: str) -> Iterator[Path]:
    if os.path.lexists(text.strip()):
        yield Path(text.strip())
        return
    for item in filter(None, map(str.strip, text.split(","))):
        path = item if os.path.lexists(item) else os.path.expanduser(item)
        if os.path.lexists(path) or not glob.has_magic(path):
            yield Path(path)
        else:
            yield from _matches(path)


def _matches(pattern: str) -> list[Path]:
    recursive = "**/" in pattern
    paths = [
        path for path in map(Path, sorted(glob.glob(pattern, recursive=recursive))) if path.name not in JUNK
    ]
    if recursive:
        paths = [path for path in paths if not path.is_dir() and not JUNK.intersection(path.parts)]
    if not paths:
        raise InputNotFoundError(f"{ROLE} pattern {pattern} matches nothing")
    return paths


def _children(folder: Path) -> list[Path]:
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise ModelArchiverError(f"the folder {folder} cannot be read: {error.strerror}") from None
    return [path for path in paths if path.name not in JUNK and not is_temporary(path.name)]


def _is_folder(path: Path) -> bool:
    stat_source(path, ROLE)
    return path.is_dir()
