"""The part of a transformers model that makes vectors of what it is given."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class TwoTowers(nn.Module):
    """A model with a tower for images and one for texts, such as CLIP, whose vectors can be compared.

    Args:
        model: a network of transformers with `get_image_features` and `get_text_features`.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
        """The vectors [N, D] of images, float [N, C, H, W], or of texts, int64 [N, L], with their mask."""
        if inputs.is_floating_point():
            found = self.model.get_image_features(inputs.to(self.model.dtype), **named)
        else:
            found = self.model.get_text_features(inputs, **named)
        return (
            found if isinstance(found, torch.Tensor) else found.pooler_output
        )  # before and since transformers 5


def encoder_of(model: Any) -> Any:
    """What makes vectors in a network of transformers: its towers, its encoder without a decoder, or all of it."""
    network = getattr(model, "_orig_mod", model)
    if hasattr(network, "get_image_features") and hasattr(network, "get_text_features"):
        return TwoTowers(network)
    halves = [getattr(network, name, None) for name in ("encoder", "decoder")]
    return halves[0] if all(isinstance(half, nn.Module) for half in halves) else model
