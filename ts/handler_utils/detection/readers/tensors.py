"""Tensors in what models return: which there are, and what their values look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import torch

from ts.handler_utils.detection.detections import Detections

# By how much probabilities computed in half precision may exceed 1.
_ROUNDING = 1e-2

# Pixels that no box of a whole output stays within, so that such boxes are fractions of the input.
_FRACTIONS = 2.0

_MOST_ITEMS = 8  # that a description names


def describe(output: Any) -> str:
    """What a model returned, with the shapes of its tensors: "a list of [1, 300, 4] and [1, 300]"."""
    if isinstance(output, torch.Tensor):
        return f"a tensor {list(output.shape)}"
    items = _named(output)
    if items is not None:
        parts = [f"{name} {_shape(item)}" for name, item in list(items.items())[:_MOST_ITEMS]]
        return f"a {type(output).__name__} with {' and '.join(parts) or 'nothing'}"
    if isinstance(output, (list, tuple)):
        parts = [_shape(item) for item in output[:_MOST_ITEMS]]
        more = f" and {len(output) - len(parts)} more" if len(output) > len(parts) else ""
        return f"a {type(output).__name__} of {' and '.join(parts) or 'nothing'}{more}"
    return f"a {type(output).__name__}"


def _named(output: Any) -> Optional[Mapping[str, Any]]:
    """The entries of a mapping, or the tensors among an object's attributes; None if it has none of these."""
    if isinstance(output, Mapping):
        return output
    values = getattr(output, "__dict__", {})
    found = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
    return found or None


def _shape(item: Any) -> str:
    if isinstance(item, torch.Tensor):
        return str(list(item.shape))
    if isinstance(item, Mapping):
        return f"a mapping of {', '.join(map(str, list(item)[:_MOST_ITEMS]))}"
    return f"a {type(item).__name__}"


def named_tensor(output: Any, name: str) -> Optional[torch.Tensor]:
    """A tensor by its name, out of a mapping or an object that has it as an attribute; None if there is none."""
    value = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
    return value if isinstance(value, torch.Tensor) else None


def listed_tensors(output: Any) -> list[torch.Tensor]:
    """The tensors of a list, a tuple or a mapping that holds nothing else; else none."""
    items = list(output.values()) if isinstance(output, Mapping) else output
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, torch.Tensor) for item in items):
        return []
    return list(items)


def are_probabilities(values: torch.Tensor) -> bool:
    """Whether all values are from 0 to 1, as far as they are finite: what is not is the fault of its row."""
    outside = (values < -_ROUNDING) | (values > 1 + _ROUNDING)
    return not bool((outside & values.isfinite()).any())


def are_indexes(values: torch.Tensor) -> bool:
    """Whether all values are whole numbers and not negative, as far as they are finite."""
    if not values.is_floating_point():
        return True
    others = (values != values.round()) | (values < 0)
    return not bool((others & values.isfinite()).any())


def are_fractions(boxes: torch.Tensor) -> bool:
    """Whether boxes are in fractions of the input, and not in its pixels, as far as they are finite."""
    finite = boxes[boxes.isfinite()]
    return bool(finite.numel()) and bool((finite.abs() <= _FRACTIONS).all())


def are_corners(boxes: torch.Tensor) -> bool:
    """Whether boxes [..., 4] may be x1, y1, x2, y2, with no corner before the other, as far as they are finite."""
    return not bool((boxes[..., :2] > boxes[..., 2:]).any())


def detections_of(boxes: torch.Tensor, classes: torch.Tensor, scores: torch.Tensor) -> Detections:
    """Detections whose classes are floats; where one is no number, its score is none either."""
    if classes.is_floating_point():
        scores = scores.where(classes.isfinite(), classes)
        classes = classes.nan_to_num(0, 0, 0).round()
    return {"boxes": boxes, "labels": classes.long(), "scores": scores}
