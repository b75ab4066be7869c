"""Detections in a resized image, as detections in the photo that it was made from."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from ts.handler_utils.detection.detections import INSIDE, Detections
from ts.handler_utils.images.resizing import resized_size


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
    x, y = width / resized_width, height / resized_height
    boxes = detections["boxes"]
    moved = {**detections, "boxes": boxes * boxes.new_tensor([x, y, x, y])}
    if "keypoints" in detections:
        moved["keypoints"] = detections["keypoints"] * boxes.new_tensor([x, y, 1])
    if "masks" in detections and len(boxes):
        masks = detections["masks"].float()
        masks = masks.reshape(len(boxes), 1, 1, *masks.shape[-2:])
        moved["masks"] = torch.cat([_at(mask, (height, width)) >= INSIDE for mask in masks])
    return moved


def _at(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """One mask at another height and width: as probabilities, all would take four times the memory."""
    return functional.interpolate(mask, size, mode="bilinear", align_corners=False)
