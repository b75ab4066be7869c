"""torchvision's networks by their names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torchvision.models import get_model, get_model_builder, list_models

# An argument of our own. torchvision's COCO_V1 detectors compute with 0.0, which no state dict tells.
NORM_EPS = "batch_norm_eps"

# What torchvision would download, or print.
NOT_ARGUMENTS = ("self", "weights", "weights_backbone", "progress", "args", "kwargs")

LIBRARY = "torchvision"
ADDED_ARGUMENTS = (NORM_EPS,)


def names() -> list[str]:
    """The names of all networks."""
    return list_models()


def builder_arguments(name: str) -> Mapping[str, inspect.Parameter]:
    """What the function takes that makes a network."""
    return inspect.signature(get_model_builder(name)).parameters


def build(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network, with random weights; nothing is downloaded."""
    options = {key: value for key, value in arguments.items() if key != NORM_EPS}
    if "weights_backbone" in builder_arguments(name):
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options.setdefault("init_weights", False)  # which takes long, and is lost when the weights are read
    model = get_model(name, weights=None, **options)
    if NORM_EPS in arguments:
        _set_norm_eps(model, float(arguments[NORM_EPS]))
    return model


def _set_norm_eps(model: torch.nn.Module, eps: float) -> None:
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            module.eps = eps  # type: ignore[assignment]  # the stubs take it for a part
