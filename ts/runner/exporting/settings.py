"""The settings of an archive, without those of the format that its model has no longer."""

from __future__ import annotations

from typing import Any

# Of section `handler:`: how an eager model is found and read, what it computes in, and its layers by name.
EAGER_ONLY = (
    "architecture",
    "model_class",
    "trust_pickle",
    "precision",
    "memory_format",
    "explain_layer",
    "head",
)


def without(config: dict[str, Any], keys: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """The settings without some keys of section `handler:`, and without torch.compile's.

    Args:
        config: model-config.yaml.
        keys: what is left out of its section `handler:`.

    Returns:
        The other settings, and the names of those that were left out.
    """
    section = config.get("handler")
    section = section if isinstance(section, dict) else {}
    dropped = [f"handler.{key}" for key in keys if section.get(key) is not None]
    kept = {key: value for key, value in config.items() if key != "handler"}
    rest = {key: value for key, value in section.items() if key not in keys}
    if rest:
        kept["handler"] = rest
    if kept.pop("pt2", None) is not None:
        dropped.append("pt2")
    return kept, dropped
