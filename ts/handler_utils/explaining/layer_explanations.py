"""Which parts of an image speak for a class, told from a layer of the network (Grad-CAM)."""

from __future__ import annotations

import difflib
from typing import Any, Callable

import torch

from ts.handler_utils.explaining.captum import unexplainable
from ts.handler_utils.models.finite import check_finite


def find_layer(model: Any, name: str) -> torch.nn.Module:
    """The layer that an archive names to explain its model by.

    Args:
        model: an eager model.
        name: as `model.named_modules()` has it: `backbone.layer4`.

    Raises:
        ValueError: the model is no eager one, or has no such layer; the message names the nearest.
    """
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
        raise ValueError(f"only an eager model can be explained by a layer, not a {type(model).__name__}")
    layers = {path: layer for path, layer in model.named_modules() if path}
    if name not in layers:
        nearest = difflib.get_close_matches(name, layers, n=3, cutoff=0.0)
        raise ValueError(f"the model has no layer {name!r}; the nearest are {', '.join(nearest) or 'none'}")
    return layers[name]


def class_activation(
    score: Callable[[], torch.Tensor], layer: torch.nn.Module, size: tuple[int, int]
) -> torch.Tensor:
    """Grad-CAM: where a layer's activations raise a score (Selvaraju et al. 2017, equations 1 and 2).

    Args:
        score: runs the model on one image, and returns the score to explain, a scalar.
        layer: a layer whose output is one tensor [1, C, h, w].
        size: height and width of the map to return.

    Returns:
        float [H, W] in [0, 1]: 1 where the score is raised most, 0 where it is not raised.

    Raises:
        InvalidInput: the layer's output is of another kind, or the score does not depend on it.
        ModelFault: what the layer returns, or its gradients, are not finite.
    """
    value, activations = _scored_from(layer, score)
    (gradients,) = torch.autograd.grad(value, activations, allow_unused=True)
    if gradients is None:
        raise unexplainable("the score does not depend on its explain_layer")
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    raised = torch.relu((weights * activations).sum(dim=1, keepdim=True)).detach()
    check_finite("activations or gradients", raised)
    scaled = torch.nn.functional.interpolate(raised, size, mode="bilinear", align_corners=False)[0, 0]
    return scaled / scaled.max().clamp_min(torch.finfo(scaled.dtype).tiny)


def _scored_from(
    layer: torch.nn.Module, score: Callable[[], torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A score, and the output of a layer, from which on it has a gradient.

    Raises:
        InvalidInput: the output is no tensor [1, C, h, w], or the score does not depend on it.
    """
    kept: list[torch.Tensor] = []

    def start_from(_: Any, __: Any, output: Any) -> Any:
        if not isinstance(output, torch.Tensor) or output.dim() != 4:
            raise unexplainable("the output of its explain_layer is no tensor [1, C, h, w]")
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    hook = layer.register_forward_hook(start_from)
    try:
        with torch.enable_grad():
            value = score()
    finally:
        hook.remove()
    if not kept or not value.requires_grad:
        raise unexplainable("the score does not depend on its explain_layer")
    return value, kept[-1]
