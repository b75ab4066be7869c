"""The plan of an archive: every file and its place, with every check made before a byte is written."""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..checks.handler_file import check_handler_file
from ..checks.labels import LABELS, check_labels
from ..checks.model_config import named_model_class, read_model_config
from ..checks.model_file import check_model_file
from ..checks.refusals import refusals
from ..checks.serialized_file import check_serialized_file
from ..checks.torchvision_names import check_torchvision_names
from ..manifest_components.manifest import MANIFEST_PATH
from ..model_archiver_config import ModelArchiverConfig
from ..model_archiver_error import ModelArchiverError
from .entry import Entry, file_entry
from .handler import Handler, resolve_handler
from .tree import extra_entries


@dataclass(frozen=True)
class Plan:
    """What goes into an archive.

    Attributes:
        entries: The files, sorted by their names in the archive; no two have the same name.
    """

    entries: list[Entry]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.entries)


def make_plan(config: ModelArchiverConfig, target: Path, default_names: Collection[str]) -> Plan:
    """Resolves every input of `config`.

    Args:
        config: What to pack.
        target: Where the archive goes.
        default_names: Handlers that need no file.

    Raises:
        ModelArchiverError: An input is missing, wrong, or in conflict with another; the message names it.
    """
    handler = resolve_handler(config.handler, config.runtime, default_names, target)
    entries = [*handler.entries, *_named_files(config), *extra_entries(config.extra_files or (), target)]
    plan = Plan(sorted(merged(entries, target), key=lambda entry: entry.name))
    _check_content(config, handler, plan, is_default=config.handler in default_names)
    return plan


def _named_files(config: ModelArchiverConfig) -> Iterator[Entry]:
    files = {
        "the serialized file": config.serialized_file,
        "the model file": config.model_file,
        "the requirements file": config.requirements_file,
        "the config file": config.config_file,
    }
    for role, path in files.items():
        if path:
            yield file_entry(Path(path), Path(path).name, role)


def _check_content(config: ModelArchiverConfig, handler: Handler, plan: Plan, is_default: bool) -> None:
    """Runs every check; a handler of one's own may read the model's files in any way it likes."""
    model_config: dict[str, Any] = {}
    if config.config_file:
        with refusals(certain=not config.no_check):
            model_config = read_model_config(Path(config.config_file))
    if handler.module:
        with refusals(certain=not config.no_check):
            check_handler_file(handler.module, handler.function, handler.in_package)
    certain = is_default and not config.no_check
    if is_default:
        with refusals(certain):
            check_torchvision_names(model_config)
        with refusals(certain):
            is_saved_model = any(map(_names_a_network, plan.entries))
            check_serialized_file(config.serialized_file, config.model_file, model_config, is_saved_model)
    if config.model_file:
        with refusals(certain):
            check_model_file(Path(config.model_file), named_model_class(model_config))
    for entry in plan.entries:
        if entry.name == LABELS and entry.source:
            with refusals(certain):
                check_labels(entry.source)


def _names_a_network(entry: Entry) -> bool:
    """Whether a file is the config.json of a model that transformers has saved."""
    if PurePosixPath(entry.name).name != "config.json" or entry.source is None:
        return False
    try:
        content = json.loads(Path(entry.source).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("model_type"), str)


def merged(entries: Iterable[Entry], target: Path) -> Iterable[Entry]:
    """Returns the entries, each place once.

    Raises:
        ModelArchiverError: Two entries have one place and differ, or replacing `target` would take one away.
    """
    by_name: dict[str, Entry] = {}
    for entry in entries:
        _check_apart_from(target, entry)
        other = by_name.setdefault(entry.name, entry)
        if not _same_content(entry, other):
            sources = f"{other.source or 'a folder'} and {entry.source or 'a folder'}"
            raise ModelArchiverError(f"{sources} differ, and would both be {entry.name} in the archive")
    _check_places(by_name)
    return by_name.values()


def _check_apart_from(target: Path, entry: Entry) -> None:
    """Replacing the target must not take an input away."""
    if entry.source is None:
        return
    real = os.path.realpath(entry.source)
    if Path(real) == target or target in Path(real).parents:
        raise ModelArchiverError(f"{entry.source} lies in {target}, the very archive that would be replaced")


def _same_content(entry: Entry, other: Entry) -> bool:
    if entry is other or (entry.is_folder and other.is_folder):
        return True
    if entry.source is None or other.source is None or entry.size != other.size:
        return False
    return filecmp.cmp(entry.source, other.source, shallow=False)


def _check_places(by_name: dict[str, Entry]) -> None:
    """A name cannot be a file and a folder, and the manifest's place is taken."""
    for name, entry in by_name.items():
        if name in (MANIFEST_PATH, os.path.dirname(MANIFEST_PATH)) and not entry.is_folder:
            raise ModelArchiverError(
                f"{entry.source} would be {name} in the archive, where the manifest belongs"
            )
        for parent in map(str, PurePosixPath(name).parents):
            above = by_name.get(parent)
            if above is not None and not above.is_folder:
                raise ModelArchiverError(
                    f"{above.source} would be {parent} in the archive, where {entry.source or name} needs a folder"
                )
