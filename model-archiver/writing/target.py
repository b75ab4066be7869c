"""Where an archive goes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ..inputs.tree import JUNK
from ..manifest_components.manifest import MANIFEST_PATH
from ..model_archiver_error import ArchiveExistsError, ModelArchiverError
from .formats import FORMATS, ArchiveFormat


def archive_format(name: str) -> ArchiveFormat:
    """Returns the format of that name.

    Raises:
        ModelArchiverError: There is none.
    """
    if name not in FORMATS:
        raise ModelArchiverError(f"{name!r} is no archive format: choose from {', '.join(FORMATS)}")
    return FORMATS[name]


def archive_path(export_path: str, model_name: str, form: ArchiveFormat, replace: bool) -> Path:
    """Returns the archive's path, absolute and free of links.

    Args:
        export_path: The folder that it goes to.
        model_name: The model's name.
        form: The archive's format.
        replace: An archive that is there already may be replaced.

    Raises:
        ArchiveExistsError: There is one, and `replace` is false.
        ModelArchiverError: What is there already may not be replaced.
    """
    path = Path(os.path.realpath(Path(export_path, model_name + form.suffix)))
    if not os.path.lexists(path):
        return path
    if not replace:
        raise ArchiveExistsError(f"{path} exists already; -f replaces it")
    if path.is_dir() != form.is_folder:
        raise ModelArchiverError(
            f"{path} is {'a folder' if path.is_dir() else 'not a folder'}, and is not replaced"
        )
    if form.is_folder and any(path.iterdir()) and not (path / MANIFEST_PATH).is_file():
        raise ModelArchiverError(f"{path} is a folder that holds no model archive, and is not replaced")
    if form.is_folder:
        _refuse_foreign_files(path)
    return path


def _refuse_foreign_files(folder: Path) -> None:
    """A file that was put into an archive's folder later would be lost with it; digests tell which were packed."""
    try:
        packed = {MANIFEST_PATH, *json.loads((folder / MANIFEST_PATH).read_bytes())["sha256"]}
    except (OSError, ValueError, KeyError, TypeError):  # no archive of this archiver: nothing can be told
        return
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in JUNK]
        for name in sorted(set(files) - JUNK):
            path = Path(parent, name)
            if path.relative_to(folder).as_posix() not in packed:
                raise ModelArchiverError(
                    f"{path} is not of the archive that lies there, which is not replaced: move the file elsewhere"
                )
