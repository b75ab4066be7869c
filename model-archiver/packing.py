"""The way from a config to an archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .inputs.entry import file_entry
from .inputs.plan import Plan, make_plan
from .manifest_components.manifest import Manifest
from .manifest_components.model import Model
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError
from .writing.archive import write_archive
from .writing.formats import FORMATS
from .writing.target import archive_format, archive_path

SOURCE_VOCAB = "source_vocab.pt"


def pack(
    config: ModelArchiverConfig, default_handlers: Mapping[str, str], manifest: str | None = None
) -> None:
    """Checks everything that `config` asks for, and then makes the archive.

    Args:
        config: What to pack.
        default_handlers: The kind of data that each default handler answers, by the handler's name.
        manifest: JSON to use as the manifest in place of the one that `config` stands for.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    form = archive_format(config)
    target = archive_path(config, form)
    plan = make_plan(config, target, default_handlers)
    text = manifest or str(_manifest(config, plan, default_handlers.get(plan.handler)))
    write_archive(plan, json.loads(text), form, config.model_name, target, config.force)


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
        raise ModelArchiverError(f"{target} exists already; -f replaces it")
    entries = [file_entry(path, name, "the file") for name, path in sorted(files.items())]
    without_digests = {key: value for key, value in manifest.items() if key != "sha256"}
    plan = Plan(manifest["model"]["handler"], entries)
    write_archive(plan, without_digests, forms[0], manifest["model"]["modelName"], target, replace)


def _manifest(config: ModelArchiverConfig, plan: Plan, kind: str | None) -> Manifest:
    has_vocabulary = kind == "text" and any(entry.name == SOURCE_VOCAB for entry in plan.entries)
    model = Model(
        model_name=config.model_name,
        serialized_file=config.serialized_file,
        handler=plan.handler,
        model_file=config.model_file,
        model_version=config.version,
        requirements_file=config.requirements_file,
        config_file=config.config_file,
        source_vocab=SOURCE_VOCAB if has_vocabulary else None,
    )
    return Manifest(config.runtime, model)
