"""The check of `--serialized-file` against what makes the network: a model file, or an architecture by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any


def serialized_file_problem(
    serialized_file: str | None, model_file: str | None, model_config: dict[str, Any]
) -> str | None:
    """Says what a default handler would miss, None where nothing is for certain.

    Args:
        serialized_file: The option `--serialized-file`.
        model_file: The option `--model-file`.
        model_config: The content of `--config-file`.
    """
    section = model_config.get("handler")
    section = section if isinstance(section, dict) else {}
    architecture = section.get("architecture")
    if architecture and model_file:
        return (
            f"the config file names an architecture, {architecture}, and there is a model file, {model_file}: "
            "either makes the network, and both cannot"
        )
    if architecture and not serialized_file:
        return f"the config file names an architecture, {architecture}: its weights go into --serialized-file"
    if architecture or model_file or section.get("trust_pickle") or not serialized_file:
        return None
    if not holds_weights_alone(Path(serialized_file)):
        return None
    return (
        f"the serialized file {serialized_file} holds weights alone: give their class by --model-file, or name a "
        "network of torchvision as handler: architecture in the config file"
    )


def holds_weights_alone(path: Path) -> bool:
    """Whether a file is of safetensors or `torch.save`, and so no whole model that could be read safely."""
    if path.suffix.lower() == ".safetensors":
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name.rpartition("/")[2] for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return False
    return "data.pkl" in parts and "constants.pkl" not in parts  # which TorchScript has too
