"""Detections in a model's input, as detections in the photo that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch
from torch.nn import functional

from ts.handler_utils.detection.detections import INSIDE, Detections
from ts.handler_utils.detection.readers.registry import Found
from ts.handler_utils.images.resizing import both_sides, letterbox_of, resized_size
from ts.handler_utils.images.transform import ImageTransform


def in_photo(found: Found, transform: Optional[ImageTransform], size: tuple[int, int]) -> Detections:
    """What was found in a model's input, in pixels of the photo that this was made of.

    Args:
        found: boxes in pixels of the input, or in fractions of it.
        transform: what made the input of the photo, and did not crop it; None where that is not known: it is as
            large as the photo then.
        size: width and height of the photo, in pixels.
    """
    detections, resize, letterbox = found.detections, None, None
    if transform is not None:
        resize, letterbox = transform.resize, transform.letterbox
    if found.normalized:
        height, width = both_sides(letterbox) if letterbox is not None else size[::-1]
        detections = _moved(detections, (width, height))
        resize = None
    if letterbox is not None:
        return undo_letterbox(detections, letterbox, size)
    return detections if resize is None else undo_resize(detections, resize, size)


def undo_resize(detections: Detections, resize: int | Sequence[int], size: tuple[int, int]) -> Detections:
    """Moves boxes, masks and keypoints from a resized image to its photo.

    Args:
        detections: those in the resized image.
        resize: length in pixels that the photo's shorter side was scaled to, or (height, width).
        size: width and height of the photo, in pixels.

    Returns:
        The detections in pixels of the photo; their masks are booleans.
    """
    width, height = size
    resized_width, resized_height = resized_size(resize, size)
    moved = _moved(detections, (width / resized_width, height / resized_height))
    if "masks" in detections and len(detections["boxes"]):
        moved["masks"] = _masks_at(detections["masks"], size)
    return moved


def undo_letterbox(detections: Detections, canvas: int | Sequence[int], size: tuple[int, int]) -> Detections:
    """Moves boxes, masks and keypoints from a letterbox to the photo in it, and leaves out what is in its border.

    Args:
        detections: those in the whole canvas.
        canvas: length in pixels of both its sides, or (height, width).
        size: width and height of the photo, in pixels.

    Returns:
        The detections in pixels of the photo; their masks are booleans.
    """
    place, (width, height) = letterbox_of(size, canvas), size
    moved = _moved(detections, (1 / place.gain, 1 / place.gain), (place.left, place.top))
    limits = moved["boxes"].new_tensor([width, height, width, height])
    moved["boxes"] = moved["boxes"].clamp(min=0).minimum(limits)
    if "masks" in detections and len(detections["boxes"]):
        rows, columns = (
            slice(place.top, place.top + place.height),
            slice(place.left, place.left + place.width),
        )
        moved["masks"] = _masks_at(detections["masks"][..., rows, columns], size)
    return moved


def _moved(
    detections: Detections, scale: tuple[float, float], origin: tuple[float, float] = (0, 0)
) -> Detections:
    """Boxes and keypoints in other pixels, by what a pixel along x and y becomes, after a new origin."""
    (x, y), (left, top), boxes = scale, origin, detections["boxes"]
    start, scales = boxes.new_tensor([left, top] * 2), boxes.new_tensor([x, y] * 2)
    moved = {**detections, "boxes": (boxes - start) * scales}
    if "keypoints" in detections:
        keypoints = detections["keypoints"] - boxes.new_tensor([left, top, 0])
        moved["keypoints"] = keypoints * boxes.new_tensor([x, y, 1])
    return moved


def _masks_at(masks: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Masks at another width and height, as booleans."""
    width, height = size
    masks = masks.float().reshape(len(masks), 1, 1, *masks.shape[-2:])
    return torch.cat([_at(mask, (height, width)) >= INSIDE for mask in masks])


def _at(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """One mask at another height and width: as probabilities, all would take four times the memory."""
    return functional.interpolate(mask, size, mode="bilinear", align_corners=False)
