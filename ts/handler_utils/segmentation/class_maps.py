"""Semantic segmentation: from a model's output to the class of each pixel, and its probability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

_NO_OBJECT = frozenset(
    {"background", "bg", "none", "nothing", "void", "unlabeled", "unlabelled", "unknown", "0"}
)
_TILE = 2**17  # pixels of a map that are worked on at a time


class ClassMap(NamedTuple):
    """The most probable class of each pixel of one image.

    Attributes:
        classes: class indexes [H, W]; uint8 where there are at most 256 classes, else int32.
        probabilities: float32 [H, W], in [0, 1]: of those classes.
    """

    classes: np.ndarray
    probabilities: np.ndarray


def background_class(mapping: Mapping[str, str] | None) -> int | None:
    """The class that stands for no object, which pictures leave as it is; None where each class is one.

    It is class 0 where that has no label, or one that says so, or where there are two classes. Cityscapes and
    ADE20K, whose class 0 is a road and a wall, have none.

    Args:
        mapping: labels by class index (a string).
    """
    labels = mapping or {}
    label = str(labels.get("0", "background")).strip("_ ").casefold()
    return 0 if label in _NO_OBJECT or len(labels) == 2 else None


def segmentation_logits(output: Any) -> torch.Tensor:
    """Takes the logits out of the forms that segmentation models return them in.

    Args:
        output: logits [N, C, H, W]; a mapping that has them under "out", as torchvision's models return, or under
            "logits"; an object with `logits`, as Hugging Face's return; or a list or tuple whose first element
            they are.

    Returns:
        float32 [N, C, H, W].

    Raises:
        TypeError: it is something else.
    """
    logits = output
    if isinstance(output, Mapping):
        logits = output["out"] if "out" in output else output.get("logits")
    elif hasattr(output, "logits"):
        logits = output.logits
    elif isinstance(output, (list, tuple)) and output:
        logits = output[0]
    if not isinstance(logits, torch.Tensor) or logits.ndim != 4:
        raise TypeError(
            "A segmentation model must return logits [N, C, H, W], a mapping that has them under 'out' or"
            " 'logits', an object with `logits`, or a list that begins with them; this one returned"
            f" {_describe(output)}"
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
    weights = torch.arange(count - 1, -1, -1, dtype=_index_type(count), device=probabilities.device)[
        :, None, None
    ]
    classes = (count - 1) - ((probabilities == best[:, None]) * weights).amax(dim=1)
    return [ClassMap(*maps) for maps in zip(classes.cpu().numpy(), best.cpu().numpy())]


def most_probable_at(scores: torch.Tensor, size: tuple[int, int], *, are_logits: bool = False) -> ClassMap:
    """The most probable class of each pixel of a larger or smaller image than the model's.

    The scores are interpolated as by torch's `interpolate`, bilinear and with `align_corners=False`, but never
    those of all pixels: of a photo of 12 megapixels they would take a gigabyte for 21 classes.

    Args:
        scores: [C, H, W] of one image: probabilities, or logits, whose softmax is taken where they came to be.
        size: height and width of the map, in pixels.
        are_logits: which of these.
    """
    if scores.device.type != "cpu":
        return _a_class_at_a_time(scores, size, are_logits=are_logits)
    dtype = np.uint8 if len(scores) <= 256 else np.int32
    found = ClassMap(np.empty(size, dtype), np.empty(size, np.float32))
    for rows, planes in _in_tiles(scores, size):
        best, classes = _largest_softmax(planes) if are_logits else _largest(planes)
        found.probabilities[rows] = best.numpy()
        found.classes[rows] = classes.numpy()
    return found


def _in_tiles(
    probabilities: torch.Tensor, size: tuple[int, int]
) -> Iterator[tuple[slice, Iterator[torch.Tensor]]]:
    """Some rows of a map at a time, so few that they stay in the CPU's cache, and their probabilities by class."""
    height, width = size
    last = probabilities.shape[1] - 1
    low, weights = _places(probabilities.shape[1], height)
    lines, counts = low.unique_consecutive(return_counts=True)
    most, top = max(1, _TILE // width), 0
    known: dict[int, torch.Tensor] = {}  # lines of the model's output that are as wide as the map already
    for line, end in zip(lines.tolist(), counts.cumsum(0).tolist()):
        known = {
            index: known[index] if index in known else _widened(probabilities[:, index], width)
            for index in (line, min(line + 1, last))
        }
        pairs = known[line], known[min(line + 1, last)]
        while top < end:
            rows = slice(top, min(top + most, end))
            yield rows, _between(pairs, weights[rows, None])
            top = rows.stop


def _between(lines: tuple[torch.Tensor, torch.Tensor], weight: torch.Tensor) -> Iterator[torch.Tensor]:
    """For each class the rows that lie between two lines [C, W], by the weights [rows, 1] of the second."""
    of_first = 1 - weight
    return ((above * of_first).addcmul_(below, weight) for above, below in zip(*lines))


def _widened(line: torch.Tensor, width: int) -> torch.Tensor:
    """A line of pixels [C, W], interpolated to a width."""
    return functional.interpolate(line[None], width, mode="linear", align_corners=False)[0]


def _places(length: int, wanted: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the pixels of one side of a map lie between those of another image, as torch's `interpolate` has it.

    Args:
        length: pixels of that side of the image.
        wanted: pixels of the map.

    Returns:
        For each pixel of the map the index of the one before it, int64, and the weight of the next, float32.
    """
    scale = float(np.float32(length) / np.float32(wanted))
    places = torch.arange(wanted, dtype=torch.float64).add_(0.5).mul_(scale).sub_(0.5).clamp_(min=0).float()
    low = places.long().clamp_(max=length - 1)
    return low, places - low


def _largest(planes: Iterator[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest value at each place of several planes, and which of them has it first, both float32.

    The planes are overwritten. All is float32, since comparisons that return booleans are slow on a CPU.
    """
    best = next(planes)
    classes = torch.zeros_like(best)
    for index, plane in enumerate(planes, start=1):
        larger = torch.maximum(best, plane)
        torch.maximum(classes, plane.gt_(best).mul_(index), out=classes)
        best = larger
    return best, classes


def _largest_softmax(planes: Iterator[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest softmax at each place of several planes of logits, and which of them has it first, both float32.

    The planes are overwritten. The sum of exponentials is kept in proportion to that of the largest logit so far.
    """
    best = next(planes)
    classes, total = torch.zeros_like(best), torch.ones_like(best)
    for index, plane in enumerate(planes, start=1):
        larger = torch.maximum(best, plane)
        less = best.sub_(larger)
        torch.maximum(classes, less.sign().mul_(-index), out=classes)
        total.mul_(less.exp_()).add_(plane.sub_(larger).exp_())
        best = larger
    return total.reciprocal_(), classes


def _a_class_at_a_time(
    probabilities: torch.Tensor, size: tuple[int, int], *, are_logits: bool = False
) -> ClassMap:
    """As `most_probable_at`: what a GPU does fastest."""
    if are_logits:
        planes = (
            functional.interpolate(plane[None, None], size, mode="bilinear", align_corners=False)[0, 0]
            for plane in probabilities
        )
        values, classes = _largest_softmax(planes)
        return ClassMap(classes.to(_index_type(len(probabilities))).cpu().numpy(), values.cpu().numpy())
    best = probabilities.new_zeros(size)
    classes = torch.zeros(size, dtype=_index_type(len(probabilities)), device=probabilities.device)
    for index, plane in enumerate(probabilities):
        resized = functional.interpolate(plane[None, None], size, mode="bilinear", align_corners=False)[0, 0]
        classes.masked_fill_(resized > best, index)
        torch.maximum(best, resized, out=best)
    return ClassMap(classes.cpu().numpy(), best.cpu().numpy())


def _index_type(classes: int) -> torch.dtype:
    return torch.uint8 if classes <= 256 else torch.int32
