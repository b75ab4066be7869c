"""Classifiers without their last layer: what enters it is what they know of an image."""

from __future__ import annotations

import difflib
import logging
from typing import Any, Optional

import torch
from torch import nn

logger = logging.getLogger(__name__)

NO_HEAD = "none"  # the setting's word for a model that has none

# The parts of torchvision's classifiers that end with the layer of the classes. SqueezeNet's is a convolution.
_HEADS = ("fc", "classifier", "head", "heads")
_LAST_LAYERS = (nn.Linear, nn.Conv2d)

# Those of torchvision's models that classify no whole images.
_OTHERS = ("detection", "segmentation", "optical_flow", "feature_extraction")


def take_off_head(model: Any, head: Optional[str] = None) -> Optional[str]:
    """Puts `nn.Identity` in the place of a classifier's last layer.

    Args:
        model: changed in place.
        head: the layer's name; None finds that of torchvision's and timm's classifiers, and of classes derived
            from them: of torchvision's the last `nn.Linear` of `fc`, `classifier`, `head` or `heads`, of timm's
            what their own `reset_classifier(0)` takes off. "none" leaves the model as it is.

    Returns:
        The name of the layer that was taken off; None if none was.

    Raises:
        ValueError: the model has no such layer, or is no network of layers.
    """
    network = getattr(model, "_orig_mod", model)  # which torch.compile wraps, and has not looked at yet
    if head == NO_HEAD:
        return None
    if head is None and _is_of("timm.models", network) and hasattr(network, "reset_classifier"):
        network.reset_classifier(0)
        return "classifier"
    head = head or _head_of_torchvision(network)
    if head is None:
        return None
    _check_layer(network, head)
    parent, _, name = head.rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    logger.info("Embeddings are what enters %s", head)
    return head


def _is_of(package: str, network: Any) -> bool:
    """Whether a network is of a class of a package, or of one derived from such a class."""
    return any(f"{kind.__module__}.".startswith(f"{package}.") for kind in type(network).__mro__)


def _head_of_torchvision(network: Any) -> Optional[str]:
    if not _is_of("torchvision.models", network):
        return None
    if any(_is_of(f"torchvision.models.{name}", network) for name in _OTHERS):
        return None
    layers = [
        f"{head}.{name}".rstrip(".")
        for head in _HEADS
        if isinstance(getattr(network, head, None), nn.Module)
        for name, layer in getattr(network, head).named_modules()
        if isinstance(layer, _LAST_LAYERS)
    ]
    return layers[-1] if layers else None


def _check_layer(network: Any, head: str) -> None:
    if not isinstance(network, nn.Module) or isinstance(
        network, (torch.jit.ScriptModule, torch.fx.GraphModule)
    ):
        raise ValueError(
            f"model-config.yaml: handler.head is {head!r}, but this model's layers cannot be taken off"
            f" ({type(network).__name__}): export it without, or pack the network and its weights"
        )
    names = [name for name, _ in network.named_modules() if name]
    if head not in names:
        nearest = difflib.get_close_matches(head, names, n=3) or names[-3:]
        raise ValueError(
            f"model-config.yaml: the model has no layer {head!r}, which handler.head names; it has, among others,"
            f" {', '.join(nearest)}"
        )
