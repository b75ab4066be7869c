"""What an archive holds, without running any of its code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model_archiver.writing.integrity import sha256, verify

from ts.runner.archives.archive import Archive
from ts.runner.errors import ArchiveError


def inspection(archive: Archive) -> dict[str, Any]:
    """Describes an archive, in types that JSON has.

    Returns:
        `archive` (the path), `manifest`, `settings` (of the manifest's configFile), `files` (a list of `name`,
        `size` in bytes unpacked, and `sha256` in hex) and `damaged` (as `damaged_files` gives it).
    """
    return {
        "archive": str(archive.source),
        "manifest": archive.manifest,
        "settings": archive.config,
        "files": [file_facts(archive, name) for name in archive.files()],
        "damaged": damaged_files(archive),
    }


def file_facts(archive: Archive, name: Path) -> dict[str, Any]:
    path = archive.root / name
    with path.open("rb") as file:
        return {"name": name.as_posix(), "size": path.stat().st_size, "sha256": sha256(file)}


def damaged_files(archive: Archive) -> list[str]:
    """The files that differ from their sha256 in the manifest, or are missing; archives may state none.

    Raises:
        ArchiveError: The manifest's digests are not a mapping.
    """
    try:
        return verify(archive.manifest, archive.open)
    except ValueError as error:
        raise ArchiveError(f"{archive.source}: {error}") from error
