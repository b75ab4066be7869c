"""The check of `--config-file`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..model_archiver_error import ModelArchiverError

# Of settings that handlers and the runner read (`ts.utils.documents`, which stands apart from the archiver).
LARGEST = 64 * 1024  # bytes
MOST_VALUES = 20_000  # with aliases written out
DEEPEST = 64  # lists and mappings inside each other


def read_model_config(path: Path) -> dict[str, Any]:
    """Reads `model-config.yaml`.

    Returns:
        Its mapping; an empty one where PyYAML is not installed, and so nothing can be told.

    Raises:
        ModelArchiverError: The file is not a YAML mapping, or one that no handler would read.
    """
    try:
        import yaml
    except ImportError:
        return {}
    if path.stat().st_size > LARGEST:
        raise ModelArchiverError(
            f"the config file {path} has more than {LARGEST} bytes, the most that is read"
        )
    try:
        loader = yaml.SafeLoader(path.read_bytes())
        node = loader.get_single_node()
        size = _size(node, {}) if node else (0, 0)
        content = loader.construct_document(node) if node and _is_bearable(size) else None
    except Exception as error:  # a wrong date is a ValueError, a wrong !!bool a KeyError, and so on
        reason = "too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ModelArchiverError(f"the config file {path} is not YAML: {reason}") from None
    if not _is_bearable(size):
        raise ModelArchiverError(
            f"the config file {path}, with its aliases written out, has more than {MOST_VALUES} values or"
            f" {DEEPEST} levels, the most that are read"
        )
    if not isinstance(content, dict):
        kind = "empty" if content is None else f"a {type(content).__name__}"
        raise ModelArchiverError(f"the config file {path} is {kind}, not a YAML mapping of settings")
    return content


def _size(node: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values a node of YAML has with its aliases written out, and how many levels.

    Args:
        node: The node.
        known: By `id`, what is known of the nodes so far; more than is borne for those that are being looked into.
    """
    if id(node) not in known:
        known[id(node)] = (MOST_VALUES + 1, DEEPEST + 1)
        children = node.value if isinstance(node.value, list) else []
        flat = [child for pair in children for child in (pair if isinstance(pair, tuple) else (pair,))]
        sizes = [_size(child, known) for child in flat]
        levels = 1 + max((levels for _, levels in sizes), default=0)
        known[id(node)] = 1 + sum(size for size, _ in sizes), levels
    return known[id(node)]


def _is_bearable(size: tuple[int, int]) -> bool:
    return size[0] <= MOST_VALUES and size[1] <= DEEPEST


def named_model_class(model_config: dict[str, Any]) -> str | None:
    """Returns the class that `handler: {model_class: NAME}` names, None where it names none."""
    section = model_config.get("handler")
    name = section.get("model_class") if isinstance(section, dict) else None
    return name if isinstance(name, str) else None
