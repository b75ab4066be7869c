"""The way from a config to an archive."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from .inputs.entry import file_entry
from .inputs.handler import resolve_handler
from .inputs.plan import Plan, make_plan, merged
from .inputs.tree import extra_entries, folder_entries
from .manifest_components.manifest import Manifest
from .manifest_components.model import Model
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ArchiveExistsError, ModelArchiverError
from .writing.archive import write_archive
from .writing.formats import FORMATS
from .writing.target import archive_format, archive_path

SOURCE_VOCAB = "source_vocab.pt"


def plan_archive(config: ModelArchiverConfig, default_names: Collection[str]) -> Plan:
    """Checks everything that `config` asks for; nothing is written.

    Raises:
        ModelArchiverError: The archive cannot be made.
    """
    form = archive_format(config.archive_format)
    target = archive_path(config.export_path, config.model_name, form, config.force)
    return make_plan(config, target, default_names)


def make_model(config: ModelArchiverConfig, plan: Plan | None = None, kind: str | None = None) -> Model:
    """Makes the manifest's part of the model.

    Args:
        config: What is packed.
        plan: Its files, if they are known.
        kind: The kind of data that its default handler answers; for "text" the manifest names the vocabulary.
    """
    names = {entry.name for entry in plan.entries} if plan else set()
    return Model(
        model_name=config.model_name,
        serialized_file=config.serialized_file,
        handler=config.handler,
        model_file=config.model_file,
        model_version=config.version,
        requirements_file=config.requirements_file,
        config_file=config.config_file,
        source_vocab=SOURCE_VOCAB if kind == "text" and SOURCE_VOCAB in names else None,
    )


def make_manifest(config: ModelArchiverConfig, plan: Plan | None = None, kind: str | None = None) -> Manifest:
    """Makes the manifest, of what `make_model` takes."""
    return Manifest(config.runtime, make_model(config, plan, kind))


def pack_plan(
    plan: Plan, manifest: str, export_path: str, model_name: str, format_name: str, replace: bool
) -> None:
    """Makes the archive that `plan` describes.

    Args:
        plan: The files.
        manifest: The manifest's JSON; the files' digests are added.
        export_path: The folder that the archive goes to.
        model_name: The model's name.
        format_name: A value of `--archive-format`.
        replace: An archive that is there already is replaced, in the moment the new one is complete.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    form = archive_format(format_name)
    target = archive_path(export_path, model_name, form, replace)
    write_archive(plan, json.loads(manifest), form, model_name, target, replace)


def plan_folder(folder: Path) -> Plan:
    """Plans the archive of a folder that holds just the files, such as one that `stage` filled."""
    return Plan(list(folder_entries(folder, "", folder)))


def stage(
    folder: Path, runtime: str, files: Mapping[str, str | None], default_names: Collection[str]
) -> None:
    """Copies files to the places below `folder` that they have in an archive.

    Args:
        folder: An empty folder.
        runtime: A value of `--runtime`.
        files: What is copied, by the option that names it: `handler`, `extra_files`, or any that names one file.
        default_names: Handlers that need no file.

    Raises:
        ModelArchiverError: A file is missing, or in conflict with another.
    """
    entries = []
    for role, path in files.items():
        if path and role == "handler":
            entries += resolve_handler(path, runtime, default_names, folder).entries
        elif path and role == "extra_files":
            entries += extra_entries(path, folder)
        elif path:
            entries.append(file_entry(Path(path), Path(path).name, f"the {role}"))
    for entry in merged(entries, folder):
        place = folder / entry.name
        (place if entry.is_folder else place.parent).mkdir(parents=True, exist_ok=True)
        if entry.source is not None:
            shutil.copy(entry.source, place)


def pack_files(files: Mapping[str, Path], manifest: Mapping[str, Any], target: Path, replace: bool) -> None:
    """Makes an archive of files that are all named, such as those of another archive.

    Args:
        files: What is packed, by its name in the archive.
        manifest: The manifest; its `sha256` is made anew.
        target: The archive's path, which ends as its format does: `.mar` or `.tar.gz`.
        replace: An archive that is there already is replaced, in the moment the new one is complete.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    forms = [form for form in FORMATS.values() if form.suffix and target.name.endswith(form.suffix)]
    if not forms:
        raise ModelArchiverError(f"{target} must end in .mar or .tar.gz")
    if target.exists() and not replace:
        raise ArchiveExistsError(f"{target} exists already; -f replaces it")
    entries = [file_entry(path, name, "the file") for name, path in sorted(files.items())]
    without_digests = {key: value for key, value in manifest.items() if key != "sha256"}
    write_archive(Plan(entries), without_digests, forms[0], manifest["model"]["modelName"], target, replace)
