"""sha256 digests: taken while a file is packed, and checked when an archive is opened.

The manifest holds them under the key `sha256`, a mapping of each file's path in the archive to its hex digest.
TorchServe ignores the key, and archives of other archivers do not have it.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO, Callable

CHUNK = 1 << 20
"""Bytes that are read at a time."""


Advance = Callable[[int], object]
"""Is called with the number of bytes just done."""


def no_progress(done: int) -> None:
    """Stands in where nobody watches."""


def sha256(stream: BinaryIO, advance: Advance = no_progress) -> str:
    """Returns the hex digest of what is left in `stream`, holding no more than `CHUNK` bytes at a time."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
        advance(len(chunk))
    return digest.hexdigest()


def verify(manifest: Mapping[str, Any], open_file: Callable[[str], BinaryIO]) -> list[str]:
    """Compares an archive's files with the digests in its manifest.

    Args:
        manifest: The parsed `MAR-INF/MANIFEST.json`.
        open_file: Opens a file by its path in the archive; raises KeyError or OSError where there is none.

    Returns:
        The names of files that differ or are missing, in the manifest's order; empty where all is well, and
        where the manifest holds no digests.

    Raises:
        ValueError: The manifest's `sha256` is not a mapping.

    Example:
        >>> with zipfile.ZipFile("resnet.mar") as archive:
        ...     manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
        ...     differing = verify(manifest, archive.open)
    """
    digests = manifest.get("sha256", {})
    if not isinstance(digests, Mapping):
        raise ValueError("the manifest's sha256 is not a mapping of names to digests")
    return [name for name, expected in digests.items() if _digest_of(name, open_file) != expected]


# What the standard library raises where a file is absent or its bytes are damaged.
UNREADABLE = (KeyError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def _digest_of(name: str, open_file: Callable[[str], BinaryIO]) -> str | None:
    try:
        with open_file(name) as stream:
            return sha256(stream)
    except UNREADABLE:
        return None
