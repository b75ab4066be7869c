"""The check of `architecture` and `preset` in the config file, which name networks and weights of torchvision.

The names are read from torchvision's source files where it is installed: to import it takes seconds, and torch.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Callable

from ..model_archiver_error import ModelArchiverError

# How the names of timm's networks begin, which only timm itself can tell: the handler does, as it loads.
TIMM = "timm/"

# How torchvision.models registers a network, and what a class of weights looks like.
NETWORK = re.compile(
    r"^@register_model\((?:name=[\"'](?P<given>\w+)[\"'])?.*?^def (?P<name>\w+)\(", re.M | re.S
)
WEIGHTS = re.compile(r"^class (?P<name>\w+)\(WeightsEnum\):\n(?P<body>(?:[ \t].*\n|\n)*)", re.M)
MEMBER = re.compile(r"^    (\w+) = ", re.M)


def check_torchvision_names(model_config: Mapping[str, Any]) -> None:
    """Refuses an architecture and a preset that torchvision lacks; nothing can be told where it is not installed.

    Args:
        model_config: The content of `--config-file`.

    Raises:
        ModelArchiverError: The message names the nearest that there are.
    """
    section = model_config.get("handler")
    if not isinstance(section, dict):
        return
    architecture, preset = section.get("architecture"), section.get("preset")
    if isinstance(architecture, dict):
        architecture = architecture.get("name")
    if isinstance(architecture, str) and not architecture.startswith(TIMM):
        _check("architecture", "network", architecture, network_names)
    if isinstance(preset, str):
        _check("preset", "weights", preset, weights_names)


def _check(key: str, what: str, name: str, names: Callable[[], Collection[str]]) -> None:
    known = names()
    if known and name not in known:
        nearest = difflib.get_close_matches(name, known, n=3)
        hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
        raise ModelArchiverError(
            f"the config file sets handler: {key} to {name}, and torchvision has no {what} of that name{hint}"
        )


def network_names() -> list[str]:
    """Returns the names of torchvision's networks; none where it is not installed."""
    return [match["given"] or match["name"] for text in _sources() for match in NETWORK.finditer(text)]


def weights_names() -> list[str]:
    """Returns the names of torchvision's weights, such as "ResNet50_Weights.IMAGENET1K_V2"."""
    return [
        f"{match['name']}.{member}"
        for text in _sources()
        for match in WEIGHTS.finditer(text)
        for member in MEMBER.findall(match["body"])
    ]


def _sources() -> list[str]:
    """Returns the source texts of torchvision.models."""
    found = importlib.util.find_spec("torchvision")
    folders = found.submodule_search_locations if found and found.submodule_search_locations else []
    paths = [path for folder in folders for path in sorted(Path(folder, "models").rglob("*.py"))]
    return [path.read_text(encoding="utf-8") for path in paths]
