"""What object detectors return, and which of it a request gets.

A model's detections in one image are a dictionary of tensors whose first dimension counts the detections, as
torchvision's detectors return them (https://docs.pytorch.org/vision/stable/models.html#object-detection):

- `boxes`, float [N, 4]: x1, y1, x2, y2 in pixels of the image;
- `labels`, int [N]: class indexes;
- `scores`, float [N], in [0, 1];
- `masks`, float [N, 1, H, W], of Mask R-CNN: the probability of each pixel to belong to the object;
- `keypoints`, float [N, K, 3], of Keypoint R-CNN: x, y in pixels, and 1 where visible.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ts.handler_utils.errors import InvalidInput, ModelFault
from ts.handler_utils.models.finite import check_finite

Detections = dict[str, torch.Tensor]

INSIDE = 0.5
"""The probability from which on a pixel belongs to an object, as in torchvision's examples."""

_NEEDED = ("boxes", "labels", "scores")
# Of each entry the numbers of dimensions that it may have, the first of which counts the detections.
_DIMENSIONS = {"boxes": (2,), "labels": (1,), "scores": (1,), "masks": (3, 4), "keypoints": (3,)}

# Class indexes have fewer digits, and labels in which one is looked for that is alike fewer characters.
_MOST_DIGITS, _MOST_CHARACTERS = 10, 100


def read_detections(output: Any) -> list[Detections]:
    """The detections in each image of a batch, out of what a detector returned.

    Args:
        output: one dictionary an image; or `(losses, dictionaries)`, as torchvision's detectors return when they
            are TorchScript.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(output, tuple) and len(output) == 2 and isinstance(output[1], (list, tuple)):
        output = output[1]
    if not isinstance(output, (list, tuple)):
        raise TypeError(
            f"a detector must return a list with one dictionary an image, not {type(output).__name__}"
        )
    for image in output:
        if not isinstance(image, Mapping) or any(name not in image for name in _NEEDED):
            found = sorted(image) if isinstance(image, Mapping) else type(image).__name__
            raise TypeError(
                f"a detector must return a dictionary with {', '.join(_NEEDED)} an image, not {found}"
            )
    return [{name: image[name] for name in _DIMENSIONS if name in image} for image in output]


def check_detections(detections: Detections) -> None:
    """Refuses what a detector returned for one image, if it is nothing that detectors find.

    Raises:
        ModelFault: a tensor is of another shape than those of the others, or holds NaN or infinity.
    """
    count = len(detections["labels"]) if detections["labels"].dim() else -1
    for name, values in detections.items():
        shape = list(values.shape)
        fits = len(shape) in _DIMENSIONS[name] and shape[0] == count and (name != "boxes" or shape[1] == 4)
        if not fits and (count or values.numel()):  # of no detections, any form of nothing tells
            labels = list(detections["labels"].shape)
            raise ModelFault(f"the model returned {name} of shape {shape} with labels of shape {labels}")
        check_finite(name, values)


def select_detections(
    detections: Detections,
    *,
    threshold: float = 0.0,
    classes: set[int] | None = None,
    topk: int | None = None,
) -> Detections:
    """The detections that a request asks for.

    Args:
        detections: all those in one image.
        threshold: the lowest score to keep.
        classes: the class indexes to keep; None keeps all.
        topk: keep this many, those of the highest scores.

    Returns:
        The detections kept: in the order that the model has them; with `topk`, the best first.
    """
    scores, labels = detections["scores"], detections["labels"]
    keep = scores >= threshold
    if classes is not None:
        keep &= torch.isin(labels.long(), torch.tensor(sorted(classes), device=labels.device))
    kept = keep.nonzero().flatten()
    if topk is not None:
        kept = kept[scores[kept].argsort(descending=True, stable=True)[:topk]]
    if kept.equal(
        torch.arange(len(kept), device=kept.device)
    ):  # as most models sort them: masks are not copied
        return {name: values[: len(kept)] for name, values in detections.items()}
    return {name: values[kept] for name, values in detections.items()}


def class_label(index: int, mapping: Mapping[str, str] | None) -> str:
    """The label of a class; its index where it has none."""
    return (mapping or {}).get(str(index), str(index))


def find_classes(wanted: Sequence[str] | None, mapping: Mapping[str, str] | None) -> set[int] | None:
    """The indexes of classes that a request names.

    Args:
        wanted: labels, in upper or lower case, or class indexes; None stands for all classes.
        mapping: labels by class index (a string).

    Returns:
        Class indexes, with every one of those that share a label; or None for all classes.

    Raises:
        InvalidInput: there is no such class.
    """
    if wanted is None:
        return None
    indexes: dict[str, set[int]] = {}
    for index, label in (mapping or {}).items():
        indexes.setdefault(label.casefold(), set()).add(int(index))
    return set().union(*(_class_indexes(name.strip(), indexes, mapping or {}) for name in wanted))


def _class_indexes(name: str, by_label: Mapping[str, set[int]], mapping: Mapping[str, str]) -> set[int]:
    if name.casefold() in by_label:
        return by_label[name.casefold()]
    if name.isdecimal() and len(name) <= _MOST_DIGITS:
        return {int(name)}
    if len(name) > _MOST_CHARACTERS:
        raise InvalidInput(f"Wrong option: classes: there is no class of {len(name)} characters")
    if not mapping:
        raise InvalidInput(
            f"Wrong option: classes: {name!r} is no class index, and the classes have no labels"
        )
    labels = {label.casefold(): label for label in mapping.values()}
    nearest = difflib.get_close_matches(name.casefold(), labels, n=1, cutoff=0.0)[0]
    raise InvalidInput(
        f"Wrong option: classes: there is no class {name!r}; the nearest is {labels[nearest]!r}"
    )
