"""The way from a config to an archive."""

from __future__ import annotations

import json
from collections.abc import Mapping

from .manifest_components.manifest import Manifest
from .manifest_components.model import Model
from .model_archiver_config import ModelArchiverConfig
from .plan import Plan, make_plan
from .target import archive_format, archive_path
from .writing import write_archive

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
