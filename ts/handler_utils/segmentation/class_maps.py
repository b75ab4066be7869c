"""Semantic segmentation: from a model's output to the class of each pixel, and its probability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional


class ClassMap(NamedTuple):
    """The most probable class of each pixel of one image.

    Attributes:
        classes: class indexes [H, W]; uint8 where there are at most 256 classes, else int32.
        probabilities: float32 [H, W], in [0, 1]: of those classes.
    """

    classes: np.ndarray
    probabilities: np.ndarray


def segmentation_logits(output: Any) -> torch.Tensor:
    """Takes the logits out of the forms that segmentation models return them in.

    Args:
        output: logits [N, C, H, W]; a mapping that has them under "out", as torchvision's models return; or a
            list or tuple whose first element they are.

    Returns:
        float32 [N, C, H, W].

    Raises:
        TypeError: it is something else.
    """
    logits = output
    if isinstance(output, Mapping):
        logits = output.get("out")
    elif isinstance(output, (list, tuple)) and output:
        logits = output[0]
    if not isinstance(logits, torch.Tensor) or logits.ndim != 4:
        raise TypeError(
            "A segmentation model must return logits [N, C, H, W], a mapping that has them under 'out', or a list"
            f" that begins with them; this one returned {_describe(output)}"
        )
    return logits.float()


def _describe(output: Any) -> str:
    if isinstance(output, torch.Tensor):
        return f"a tensor {list(output.shape)}"
    if isinstance(output, Mapping):
        return f"a mapping of {', '.join(map(repr, output))}"
    return f"a {type(output).__name__}"


def class_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """The probability of each class at each pixel.

    Args:
        logits: [N, C, H, W]. A single channel is that of class 1 against the background, class 0.

    Returns:
        float32 [N, C, H, W], by softmax; for a single channel [N, 2, H, W], by the sigmoid.
    """
    if logits.shape[1] > 1:
        return torch.softmax(logits, dim=1)
    foreground = torch.sigmoid(logits)
    return torch.cat([1 - foreground, foreground], dim=1)


def most_probable(probabilities: torch.Tensor) -> list[ClassMap]:
    """The most probable class of each pixel; of equal ones, the first.

    Args:
        probabilities: [N, C, H, W].

    Returns:
        One map an image, in host memory.
    """
    count = probabilities.shape[1]
    best = probabilities.amax(dim=1)
    # On a CPU `amax` is some 50 times faster than `argmax`, so the first class that has the best probability is
    # found as the largest of the weights C - 1, ..., 0.
    dtype = torch.uint8 if count <= 256 else torch.int32
    weights = torch.arange(count - 1, -1, -1, dtype=dtype, device=probabilities.device)[:, None, None]
    classes = (count - 1) - ((probabilities == best[:, None]) * weights).amax(dim=1)
    return [ClassMap(*maps) for maps in zip(classes.cpu().numpy(), best.cpu().numpy())]


def most_probable_at(probabilities: torch.Tensor, size: tuple[int, int]) -> ClassMap:
    """The most probable class of each pixel of a larger or smaller image than the model's.

    The probabilities are interpolated bilinearly. That is done a class at a time: a photo of 12 megapixels would
    need a gigabyte for 21 classes at once.

    Args:
        probabilities: [C, H, W] of one image.
        size: height and width of the map, in pixels.
    """
    dtype = torch.uint8 if len(probabilities) <= 256 else torch.int32
    best = probabilities.new_zeros(size)
    classes = torch.zeros(size, dtype=dtype, device=probabilities.device)
    for index, plane in enumerate(probabilities):
        resized = functional.interpolate(plane[None, None], size, mode="bilinear", align_corners=False)[0, 0]
        classes.masked_fill_(resized > best, index)
        torch.maximum(best, resized, out=best)
    return ClassMap(classes.cpu().numpy(), best.cpu().numpy())
