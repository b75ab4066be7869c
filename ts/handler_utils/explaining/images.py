"""What each pixel of an image contributes to the score of a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.explaining.captum import import_captum, unexplainable
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.models.logits import logits_of

# Points of the path from a black image to the image; torchserve takes as many.
STEPS = 15

# Values of all points that go through the model at once: those of an image of 1024x1024.
_VALUES_AT_ONCE = STEPS * 3 * 2**20

# Pixels of a picture that are drawn at a time.
_PART = 2**18

HIGHLIGHT = 255  # of red
# Attributions have a few extreme values, beside which all else would vanish.
BRIGHTEST_PERCENTILE = 99


def integrated_gradients(model: Any) -> Any:
    """captum's `IntegratedGradients` of a model's logits (Sundararajan et al. 2017).

    Raises:
        PredictionException: 501, captum is not installed.
    """
    return import_captum().IntegratedGradients(lambda *inputs: logits_of(model(*inputs)))


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
        ModelFault: its gradients are not finite.
    """
    points = max(1, _VALUES_AT_ONCE // max(1, batch.numel()))
    try:
        attributions = method.attribute(
            batch,
            target=target,
            n_steps=STEPS,
            internal_batch_size=None if points >= STEPS else points * len(batch),
        )
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
        raise unexplainable(
            "it lets no gradient through, as models of ONNX and AOTInductor do not, nor TorchScript models that"
            " torch.jit.optimize_for_inference made; pack the eager model"
        ) from error
    check_finite("gradients", attributions)
    return attributions


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
    drawn = np.empty((*grey.shape, 3), np.uint8)
    rows = max(1, _PART // max(1, grey.shape[1]))
    for top in range(0, len(grey), rows):
        part = slice(top, top + rows)
        opacity = (weights[part] / brightest).clip(0, 1)
        shade = (1 - opacity) * grey[part] * 255
        drawn[part] = shade.round()[..., None]
        drawn[part, :, 0] = (shade + opacity * np.float64(HIGHLIGHT)).round()
    return Image.fromarray(drawn)


def _scaled(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / ((high - low) or 1.0)
