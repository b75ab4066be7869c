"""Semantic segmentation: from a model's output to the class of each pixel, and its probability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

# How many numbers `most_probable_at` works on at a time: of a tile of one class, and of some columns of all.
_TILE = 2**17
_WIDE = 2**23
_THIN = 4


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

    The probabilities are interpolated as by torch's `interpolate`, bilinear and with `align_corners=False`, a tile
    at a time: those of a photo of 12 megapixels would take a gigabyte for 21 classes at once, and each class at
    once four times as long, since what is compared would not stay in the CPU's cache.

    Args:
        probabilities: [C, H, W] of one image.
        size: height and width of the map, in pixels.
    """
    height, width = size
    if (
        width > _THIN * height
    ):  # what is interpolated first is all lines of the model's, which are few the other way
        turned = most_probable_at(probabilities.transpose(1, 2), (width, height))
        return ClassMap(*(np.ascontiguousarray(values.T) for values in turned))
    lines, samples = (_Samples(of, to, probabilities.device) for of, to in zip(probabilities.shape[1:], size))
    probabilities = probabilities[:, lines.needed][:, :, samples.needed]
    by_column = probabilities.permute(2, 0, 1).contiguous()  # of which samples are taken in long pieces
    pixels = _TILE if probabilities.device.type == "cpu" else 32 * _TILE
    columns = max(1, min(width, _WIDE // probabilities[..., 0].numel()))
    rows = max(1, pixels // columns)
    found = ClassMap(
        np.empty(size, np.uint8 if len(probabilities) <= 256 else np.int32), np.empty(size, np.float32)
    )
    for left in range(0, width, columns):
        wide = samples.of(by_column, slice(left, left + columns)).permute(1, 2, 0).contiguous()
        for top in range(0, height, rows):
            tile = slice(top, top + rows), slice(left, left + columns)
            best, classes = _best_of_tile(lines.of(plane, tile[0]) for plane in wide)
            found.probabilities[tile] = best.cpu().numpy()
            found.classes[tile] = classes.cpu().numpy()
    return found


def _best_of_tile(planes: Iterable[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest value at each place of several planes, and which of them has it first, both float32.

    The planes are overwritten. All is float32, since comparisons that return booleans are slow on a CPU.
    """
    first, *others = planes
    best, classes = first, torch.zeros_like(first)
    for index, plane in enumerate(others, start=1):
        larger = torch.maximum(best, plane)
        torch.maximum(classes, plane.gt_(best).mul_(index), out=classes)
        best = larger
    return best, classes


class _Samples:
    """Where along one side of an image the pixels of another lie, as torch's bilinear `interpolate` places them.

    Args:
        length: pixels of that side.
        wanted: how many samples are taken of them.
        device: of the image.

    Attributes:
        needed: indexes of the pixels that the samples are made of, ascending.
    """

    def __init__(self, length: int, wanted: int, device: torch.device) -> None:
        scale = float(np.float32(length) / np.float32(wanted))
        places = (
            torch.arange(wanted, dtype=torch.float64).add_(0.5).mul_(scale).sub_(0.5).clamp_(min=0).float()
        )
        low = places.long().clamp_(max=length - 1)
        both = torch.stack([low, (low + 1).clamp_(max=length - 1)])
        needed, (self._low, self._high) = torch.unique(both.to(device), return_inverse=True)
        self._weight = (places - low).to(device)
        self.needed = needed

    def of(self, values: torch.Tensor, part: slice) -> torch.Tensor:
        """Some of the samples of values whose first dimension holds the pixels that are needed."""
        weight = self._weight[part].view(-1, *[1] * (values.dim() - 1))
        low = values.index_select(0, self._low[part]).mul_(1 - weight)
        return low.addcmul_(values.index_select(0, self._high[part]), weight)
