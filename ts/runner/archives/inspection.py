"""What an archive holds, without running any of its code."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from model_archiver.writing.integrity import sha256, verify

from ts.runner.archives.archive import Archive
from ts.runner.errors import ArchiveError

ACCURACY = "openvino/accuracy.json"  # which `torch-model-runner quantize` writes
LARGEST_REPORT = 1 << 20  # bytes


def inspection(archive: Archive) -> dict[str, Any]:
    """Describes an archive, in types that JSON has.

    Returns:
        `archive` (the path or URL), `manifest`, `settings` (of the manifest's configFile), `files` (a list of
        `name`, `size` in bytes unpacked, and `sha256` in hex) and `damaged` (as `damaged_files` gives it); of an
        archive of `precision: int8` also `accuracy`, what was found when it was quantized.
    """
    accuracy = accuracy_of(archive)
    return {
        **({"accuracy": accuracy} if accuracy else {}),
        "archive": archive.origin,
        "manifest": archive.manifest,
        "settings": in_json(archive.config),
        "files": [file_facts(archive, name) for name in archive.files()],
        "damaged": damaged_files(archive),
    }


def accuracy_of(archive: Archive) -> Any:
    """The report of an archive that was quantized; None of others, and where it cannot be read."""
    section = archive.config.get("handler")
    if not isinstance(section, dict) or section.get("precision") != "int8":
        return None
    with suppress(OSError, ValueError), archive.open(ACCURACY) as file:
        return json.loads(file.read(LARGEST_REPORT))
    return None


def in_json(value: Any) -> Any:
    """A value of YAML in types that JSON has: dates, sets, infinity and the like as texts."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): in_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [in_json(item) for item in value]
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return value if value is None or is_number or isinstance(value, str) else str(value)


def file_facts(archive: Archive, name: Path) -> dict[str, Any]:
    path = archive.root / name
    with path.open("rb") as file:
        return {"name": name.as_posix(), "size": path.stat().st_size, "sha256": sha256(file)}


def damaged_files(archive: Archive) -> list[str]:
    """The files that differ from their sha256 in the manifest, or are missing; archives may state none.

    Raises:
        ArchiveError: The manifest's digests are not a mapping.
    """
    files = {name.as_posix() for name in archive.files()}

    def open_file(name: str) -> BinaryIO:
        if name not in files:  # by another, such as ./weights.pt, one file could be read again and again
            raise FileNotFoundError(name)
        return archive.open(name)

    try:
        return verify(archive.manifest, open_file)
    except ValueError as error:
        raise ArchiveError(f"{archive.origin}: {error}") from error
