"""An archive in the making: a folder that is one already, by which it is tried before it is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import torch
from model_archiver.manifest_components.manifest import MANIFEST_PATH
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging import model_handlers, package_model
from model_archiver.packing import make_manifest, plan_folder, stage

from ts.runner.errors import ArchiveError
from ts.runner.packing.labels import LABELS, write_labels
from ts.runner.packing.settings import write_config

CONFIG = "model-config.yaml"


def lay_out(
    root: Path, job: ModelArchiverConfig, config: Mapping[str, Any], labels: Optional[Mapping[str, str]]
) -> None:
    """Fills a folder with an archive's files but for its serialized file, and with the manifest.

    Args:
        root: the folder, which may hold the serialized file already.
        job: what is packed; an index_to_name.json among its extra files wins over `labels`.
        config: the content of model-config.yaml.
        labels: by class index.

    Raises:
        ArchiveError: a file is missing, or in conflict with another.
    """
    root.mkdir(exist_ok=True)
    files = {
        "handler": job.handler,
        "extra_files": job.extra_files,
        "model_file": job.model_file,
        "requirements_file": job.requirements_file,
    }
    try:
        stage(root, job.runtime, files, model_handlers)  # type: ignore[arg-type]  # extra files may be a list
    except ModelArchiverError as error:
        raise ArchiveError(str(error)) from error
    if labels and not (root / LABELS).exists():
        write_labels(labels, root / LABELS)
    if config:
        write_config(config, root / CONFIG)
        job = replace(job, config_file=CONFIG)
    manifest = root / MANIFEST_PATH
    manifest.parent.mkdir(exist_ok=True)
    kind = model_handlers.get(job.handler)
    manifest.write_text(str(make_manifest(job, plan_folder(root), kind)), encoding="utf-8")


def save_state(module: torch.nn.Module, path: Path) -> None:
    """Writes the state dict of a network, with the versions of its parts, which some need to read theirs."""
    torch.save(module.state_dict(), path)


def pack_job(job: ModelArchiverConfig) -> None:
    """Packs what `job` names, as torch-model-archiver does.

    Raises:
        ArchiveError: the archive cannot be made; what was there before is as it was.
    """
    try:
        package_model(job)
    except ModelArchiverError as error:
        raise ArchiveError(str(error)) from error
