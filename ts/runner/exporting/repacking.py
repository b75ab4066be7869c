"""The new archive: the old one's files but for the model's, and the new model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from model_archiver.manifest_components.manifest import MANIFEST_PATH
from model_archiver.reproducible import creation_time

from ts.handler_utils.models.openvino.packed import FOLDER
from ts.runner.archives.archive import Archive
from ts.runner.exporting.settings import EAGER_ONLY, without


@dataclass(frozen=True)
class Contents:
    """What an archive is packed of.

    Attributes:
        files: the files by their names in the archive.
        manifest: its manifest, without digests.
        left_out: what the old archive has and this one not: settings and files.
    """

    files: dict[str, Path]
    manifest: dict[str, Any]
    left_out: list[str]


def new_contents(archive: Archive, model: Path, folder: Path) -> Contents:
    """What the new archive is packed of.

    Args:
        archive: the old one.
        model: the file of the new model.
        folder: where a new model-config.yaml is written.
    """
    config, left_out = without(archive.config, EAGER_ONLY)
    named = dict(archive.model)
    files = {item.as_posix(): archive.root / item for item in archive.files() if item.parts[0] != FOLDER}
    files.pop(MANIFEST_PATH, None)
    for key in ("serializedFile", "modelFile"):
        name = named.pop(key, None)
        if name and not (key == "modelFile" and _is_imported(archive, name)):
            files.pop(name, None)
            left_out.append(name)
    files[model.name] = model
    named["serializedFile"] = model.name
    if left_out and named.get("configFile"):
        _replace_config(named, files, config, folder)
    manifest = {**archive.manifest, "createdOn": creation_time(), "model": named}
    return Contents(files, manifest, left_out)


def _is_imported(archive: Archive, name: str) -> bool:
    """Whether another Python file of the archive imports the model file."""
    statement = re.compile(rf"^\s*(?:from|import)\s+\.?{re.escape(Path(name).stem)}\b", re.MULTILINE)
    return any(statement.search(text) for text in _other_sources(archive, name))


def _other_sources(archive: Archive, name: str) -> Iterator[str]:
    for path in archive.files():
        if path.suffix == ".py" and path.as_posix() != name:
            yield (archive.root / path).read_text(encoding="utf-8", errors="replace")


def _replace_config(
    named: dict[str, Any], files: dict[str, Path], config: dict[str, Any], folder: Path
) -> None:
    name = named["configFile"]
    if config == yaml.safe_load(files[name].read_bytes()):
        return  # the file stays as it is, with its comments
    if not config:
        del named["configFile"], files[name]
        return
    path = folder / Path(name).name
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    files[name] = path
