"""An archive, from its plan to its name: written in one pass, read back, published."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..inputs.entry import Entry
from ..inputs.plan import Plan
from ..manifest_components.manifest import MANIFEST_PATH
from ..model_archiver_error import ModelArchiverError
from ..publishing.publish import publish, temporary
from .formats import ArchiveFormat
from .integrity import UNREADABLE, Advance, sha256
from .progress import progress
from .source_stream import open_source


def write_archive(
    plan: Plan,
    manifest: dict[str, Any],
    archive_format: ArchiveFormat,
    model_name: str,
    target: Path,
    replace: bool,
) -> None:
    """Writes the archive that `plan` describes to `target`.

    Args:
        plan: The files.
        manifest: The manifest without its `sha256` key.
        archive_format: How to write it.
        model_name: The model's name.
        target: The archive's final path.
        replace: An archive that is there already is replaced, in the moment the new one is complete.

    Raises:
        ModelArchiverError: The archive cannot be written, or `target` exists; `target` is as it was.
    """
    digests: dict[str, str] = {}
    try:
        with temporary(target, archive_format.is_folder) as path:
            with progress(f"packing {target.name}", plan.size) as advance:
                archive_format.write(path, model_name, _members(plan, manifest, digests, advance))
            with progress("verifying", plan.size) as advance:
                _check_written(path, archive_format, model_name, digests, advance)
            publish(path, target, replace)
    except ModelArchiverError:  # some are an OSError too
        raise
    except OSError as error:
        raise ModelArchiverError(f"{target} cannot be written: {error.strerror or error}") from error


def _members(
    plan: Plan, manifest: dict[str, Any], digests: dict[str, str], advance: Advance
) -> Iterator[tuple[Entry, BinaryIO]]:
    """Yields every member, and fills `digests`; the manifest comes last, for it holds those of all the others."""
    for entry in plan.entries:
        if entry.source is None:
            yield entry, io.BytesIO()
            continue
        with open_source(entry, advance) as stream:
            yield entry, cast(BinaryIO, stream)
        digests[entry.name] = stream.hexdigest()
    text = json.dumps({**manifest, "sha256": digests}, indent=2).encode()
    digests[MANIFEST_PATH] = sha256(io.BytesIO(text))
    yield Entry(MANIFEST_PATH, size=len(text)), io.BytesIO(text)


def _check_written(
    path: Path, archive_format: ArchiveFormat, model_name: str, digests: dict[str, str], advance: Advance
) -> None:
    try:
        written = {name: sha256(stream, advance) for name, stream in archive_format.read(path, model_name)}
    except (*UNREADABLE, tarfile.TarError) as error:
        raise ModelArchiverError(f"the archive does not read back: {error}") from error
    if written != digests:
        names = sorted(name for name, _ in written.items() ^ digests.items())
        raise ModelArchiverError(f"the archive reads back other than it was written: {', '.join(names)}")
