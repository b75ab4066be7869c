"""What each pixel of an image contributes to the score of a class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from ts.handler_utils.explaining.captum import import_captum, unexplainable
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.models.logits import logits_of
from ts.handler_utils.pictures.heatmap import draw_heat

# Points of the path from a black image to the image; torchserve takes as many.
STEPS = 15

# Values of all points that go through the model at once: those of an image of 1024x1024.
_VALUES_AT_ONCE = STEPS * 3 * 2**20

# Of what is drawn: a few extreme values, beside which all else would vanish, lie above it.
_BRIGHTEST_PERCENTILE = 99

_SAMPLES = 2**18  # of a map, that this percentile is told from
_SQUARES = 64  # along the longer side, in which attributions are drawn
_SMALL = 672  # pixels of the longer side that small inputs are enlarged to
_MOST_TIMES = 4


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
    """Draws where attributions are large, whichever their sign, onto an image.

    Those of single pixels change from one to the next, and hide what the model looks at: so they are drawn as the
    means of small squares.

    Args:
        image: the model's input, float [C, H, W], in any scale.
        attributions: float [C, H, W].

    Returns:
        See `draw_map`.
    """
    weights = attributions.abs().sum(dim=0, keepdim=True)[None]
    height, width = weights.shape[-2:]
    side = max(1.0, max(height, width) / _SQUARES)
    means = functional.adaptive_avg_pool2d(weights, (math.ceil(height / side), math.ceil(width / side)))
    return draw_map(image, functional.avg_pool2d(means, 3, 1, 1, count_include_pad=False)[0, 0])


def draw_map(image: torch.Tensor, values: torch.Tensor) -> Image.Image:
    """Colours an image by how much its places matter, and puts a scale below it.

    Args:
        image: the model's input, float [C, H, W], in any scale.
        values: float [h, w], not negative: how much each place matters, of any size.

    Returns:
        The input in grey, with what matters in the colours of "inferno", RGB; small inputs are enlarged up to four
        times. The scale is left out where it has no room.
    """
    grey = Image.fromarray(_bytes(image.float().mean(dim=0)))
    times = max(1, min(_MOST_TIMES, _SMALL // max(grey.size)))
    size = grey.width * times, grey.height * times
    brightest = _brightest(values)
    heat = Image.fromarray((values.float() / brightest).clamp_(0, 1).mul_(255).round_().byte().cpu().numpy())
    return draw_heat(grey.resize(size, Image.Resampling.BICUBIC), heat.resize(size, Image.Resampling.BICUBIC))


def _brightest(values: torch.Tensor) -> float:
    """The value that is drawn brightest."""
    step = max(1, math.isqrt(values.numel() // _SAMPLES))
    return float(np.percentile(values[::step, ::step].float().cpu().numpy(), _BRIGHTEST_PERCENTILE)) or 1.0


def _bytes(values: torch.Tensor) -> np.ndarray:
    """Values from the lowest to the highest as 0 to 255."""
    low, high = values.min(), values.max()
    return ((values - low) * (255 / ((high - low) or 1.0))).round_().byte().cpu().numpy()
