"""The check of `--config-file`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..model_archiver_error import ModelArchiverError


def read_model_config(path: Path) -> dict[str, Any]:
    """Reads `model-config.yaml`.

    Returns:
        Its mapping; an empty one where PyYAML is not installed, and so nothing can be told.

    Raises:
        ModelArchiverError: The file is not a YAML mapping.
    """
    try:
        import yaml
    except ImportError:
        return {}
    try:
        content = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, UnicodeError) as error:
        raise ModelArchiverError(
            f"the config file {path} is not YAML: {' '.join(str(error).split())}"
        ) from None
    if not isinstance(content, dict):
        kind = "empty" if content is None else f"a {type(content).__name__}"
        raise ModelArchiverError(f"the config file {path} is {kind}, not a YAML mapping of settings")
    return content


def named_model_class(model_config: dict[str, Any]) -> str | None:
    """Returns the class that `handler: {model_class: NAME}` names, None where it names none."""
    section = model_config.get("handler")
    name = section.get("model_class") if isinstance(section, dict) else None
    return name if isinstance(name, str) else None
