"""Where an archive goes."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from ..inputs.tree import JUNK
from ..manifest_components.manifest import MANIFEST_PATH, RuntimeType
from ..model_archiver_config import ModelArchiverConfig
from ..model_archiver_error import ModelArchiverError
from .formats import FORMATS, ArchiveFormat

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-.]*")
"""TorchServe's rule for model names."""


def archive_format(config: ModelArchiverConfig) -> ArchiveFormat:
    """Returns the format that `config` names.

    Raises:
        ModelArchiverError: The format, the runtime or the model's name is none.
    """
    _check_choice("archive format", config.archive_format, list(FORMATS))
    _check_choice("runtime", config.runtime, [runtime.value for runtime in RuntimeType])
    if not MODEL_NAME.fullmatch(config.model_name):
        raise ModelArchiverError(
            f"{config.model_name!r} is no model name: it takes letters, digits, '_', '-' and '.', "
            "and begins with a letter or a digit"
        )
    return FORMATS[config.archive_format]


def archive_path(config: ModelArchiverConfig, form: ArchiveFormat) -> Path:
    """Returns the archive's path, absolute and free of links.

    Raises:
        ModelArchiverError: The folder does not exist, or what is there already may not be replaced.
    """
    folder = Path(config.export_path)
    if not folder.is_dir():
        raise ModelArchiverError(f"the export path {folder} is not a folder")
    path = Path(os.path.realpath(folder / (config.model_name + form.suffix)))
    if not os.path.lexists(path):
        return path
    if not config.force:
        raise ModelArchiverError(f"{path} exists already; -f replaces it")
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


def _check_choice(what: str, value: str, choices: list[str]) -> None:
    if value not in choices:
        raise ModelArchiverError(f"{value!r} is no {what}: choose from {', '.join(choices)}")
