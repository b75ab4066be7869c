"""Transforms that show a model the whole photo, where those of its training crop it."""

from __future__ import annotations

import copy
from typing import Any

from ts.handler_utils.images.resizing import both_sides
from ts.handler_utils.images.transform import ImageTransform


def without_crop(transform: Any) -> Any:
    """A transform as the one given, but that resizes the whole photo to the size which the crop would leave.

    Args:
        transform: an `ImageTransform`, or a `Compose` of torchvision's `transforms` or `transforms.v2` that a
            subclass brings. One without a centre crop, and any other kind, is returned as it is.
    """
    if not isinstance(transform, ImageTransform):
        return _compose_without_crop(transform)
    if transform.crop is None:
        return transform
    return transform.replace(resize=list(both_sides(transform.crop)), crop=None)


def _compose_without_crop(transform: Any) -> Any:
    steps = list(getattr(transform, "transforms", []))
    crop = next((index for index, step in enumerate(steps) if _is_a(step, "CenterCrop")), None)
    if crop is None:
        return transform
    from torchvision.transforms import Resize  # whoever has such steps has imported it already

    size = list(both_sides(steps[crop].size))
    resize = next((step for step in steps[:crop] if _is_a(step, "Resize")), Resize(size))
    whole = copy.copy(resize)
    whole.size = size
    before = [step for step in steps[:crop] if step is not resize]
    return type(transform)([*before, whole, *steps[crop + 1 :]])


def _is_a(step: Any, name: str) -> bool:
    """By name, since `transforms.v2` takes long to import and is seldom used."""
    return type(step).__name__ == name
