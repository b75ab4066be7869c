"""The model-config.yaml of an archive that is packed, of what is known of its model and what a person asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional, Union

import yaml

from ts.handler_utils.models.formats.architecture import parsed
from ts.runner.errors import ArchiveError
from ts.utils.documents import DocumentError, read_yaml

# Handlers that make nothing of images.
WITHOUT_IMAGES = ("base_handler", "text_classifier")

TRANSFORM = ("resize", "crop", "interpolation", "mean", "std", "channels")


def read_config(path: Union[str, Path, None]) -> dict[str, Any]:
    """The content of a model-config.yaml; an empty one for None.

    Raises:
        ArchiveError: it is no YAML mapping.
    """
    if path is None:
        return {}
    try:
        found = read_yaml(Path(path).read_bytes())
    except (OSError, DocumentError) as error:
        raise ArchiveError(f"the config file {path} {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("handler") or {}, dict):
        raise ArchiveError(f"the config file {path} is no YAML mapping, with a mapping `handler`")
    return found


def arguments_in(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The arguments of the network `name` that a config file has beside its name.

    Raises:
        ArchiveError: it names another network, or what makes one in another way.
    """
    section = config.get("handler") or {}
    if section.get("model_class"):
        raise ArchiveError(
            f"the config file sets handler.model_class, and --architecture {name} has none: leave one of them out"
        )
    if section.get("architecture") is None:
        return {}
    try:
        other, arguments = parsed(section["architecture"])
    except ValueError as error:
        raise ArchiveError(f"the config file's handler.architecture: {error}") from error
    if other != name:
        raise ArchiveError(
            f"--architecture is {name}, and handler.architecture in the config file {other}: leave one of them out"
        )
    return arguments


def merged_config(
    config: Mapping[str, Any], known: Mapping[str, Any], handler: str, architecture: Optional[Any] = None
) -> dict[str, Any]:
    """A model-config.yaml in which what a person asks for wins over what is known of the model.

    Args:
        config: what the person asks for.
        known: settings of the section `handler:`, of what becomes of an image.
        handler: whose they are.
        architecture: the setting of that name.
    """
    asked = dict(config.get("handler") or {})
    if handler in WITHOUT_IMAGES:
        known = {}
    if asked.get("preset"):  # which says what becomes of an image, as a whole
        known = {key: value for key, value in known.items() if key not in TRANSFORM}
    section = {**({} if architecture is None else {"architecture": architecture}), **known, **asked}
    if architecture is not None:
        section["architecture"] = architecture
    rest = {key: value for key, value in config.items() if key != "handler"}
    return {**rest, "handler": section} if section else rest


def write_config(config: Mapping[str, Any], path: Path) -> None:
    """Writes a model-config.yaml.

    Raises:
        ArchiveError: a value cannot be written as YAML.
    """
    try:
        text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, default_flow_style=None)
    except yaml.YAMLError as error:
        raise ArchiveError(
            f"the settings cannot be written as YAML: {' '.join(str(error).split())}"
        ) from error
    path.write_text(text, encoding="utf-8")
