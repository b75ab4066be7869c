"""What each pixel of an image contributes to the score of a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.explaining.captum import import_captum, unexplainable

# Points of the path from a black image to the image; torchserve takes as many.
STEPS = 15

HIGHLIGHT = (255, 0, 0)
# Attributions have a few extreme values, beside which all else would vanish.
BRIGHTEST_PERCENTILE = 99


def integrated_gradients(model: Any) -> Any:
    """captum's `IntegratedGradients` of a model (Sundararajan et al. 2017).

    Raises:
        PredictionException: 501, captum is not installed.
    """
    return import_captum().IntegratedGradients(model)


def attribute_pixels(method: Any, batch: torch.Tensor, target: int) -> torch.Tensor:
    """Attributes a class's logit to the values of a model's input.

    Args:
        method: what `integrated_gradients` returns.
        batch: the input, float [N, C, H, W].
        target: index of the class.

    Returns:
        The attributions, float [N, C, H, W].

    Raises:
        InvalidInput: no gradient flows through the model.
    """
    try:
        return method.attribute(batch, target=target, n_steps=STEPS)
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise unexplainable(
            "it lets no gradient through, as TorchScript models that torch.jit.optimize_for_inference made do not;"
            " pack the eager model"
        ) from error


def draw_heatmap(image: torch.Tensor, attributions: torch.Tensor) -> Image.Image:
    """Tints an image where its attributions are large, whichever their sign.

    Args:
        image: the model's input, float [C, H, W], in any scale.
        attributions: float [C, H, W].

    Returns:
        The input in grey, with the pixels that count in red, RGB, H x W pixels.
    """
    grey = _scaled(image.float().mean(dim=0).cpu().numpy())
    weights = attributions.abs().sum(dim=0).cpu().numpy()
    brightest = np.percentile(weights, BRIGHTEST_PERCENTILE) or 1.0
    opacity = (weights / brightest).clip(0, 1)[..., None]
    tinted = (1 - opacity) * grey[..., None] * 255 + opacity * np.array(HIGHLIGHT)
    return Image.fromarray(tinted.round().astype(np.uint8))


def _scaled(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / ((high - low) or 1.0)
