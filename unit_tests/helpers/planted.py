"""Code that is planted into files of weights: it makes a file, by which one sees that it ran."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any, Callable


class Planted:
    """An object whose pickle makes a file when it is read.

    Args:
        mark: the file.
    """

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def expression(mark: Path) -> str:
    """Python that makes a folder, in one expression without quotes or line breaks."""
    name = "+".join(f"chr({ord(letter)})" for letter in str(mark))
    return f"__import__({'+'.join(f'chr({ord(letter)})' for letter in 'os')}).mkdir({name})"


def rewrite(path: Path, parts: dict[str, Callable[[bytes], bytes] | bytes]) -> None:
    """Changes parts of a zip archive, each found by the ending of its name; what is not there is added.

    Args:
        path: the archive.
        parts: by the ending of a name: what makes the new content of the old one, or the new content.
    """
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    root = "" if "version" in contents else f"{next(iter(contents)).partition('/')[0]}/"
    for ending, change in parts.items():
        found = [name for name in contents if name.endswith(ending)]
        for name in found or [root + ending]:
            contents[name] = change if isinstance(change, bytes) else change(contents[name])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
