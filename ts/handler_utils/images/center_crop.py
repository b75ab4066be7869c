"""The middle of an image, as torchvision's `CenterCrop` cuts it."""

from __future__ import annotations

import torch
from torch.nn import functional


def center_crop(
    values: torch.Tensor, height: int, width: int, of: tuple[int, int] | None = None
) -> torch.Tensor:
    """Cuts a rectangle from the middle; an image that is smaller gets a black border first.

    Args:
        values: [C, H, W].
        of: height and width of the image, if `values` end with the crop; see `end_of_crop`.

    Returns:
        [C, height, width].
    """
    own_height, own_width = values.shape[-2:] if of is None else of
    missing_rows, missing_columns = max(height - own_height, 0), max(width - own_width, 0)
    if missing_rows or missing_columns:
        left, top = missing_columns // 2, missing_rows // 2
        values = functional.pad(values, (left, missing_columns - left, top, missing_rows - top))
    top, left = _start(max(own_height, height), height), _start(max(own_width, width), width)
    return values[..., top : top + height, left : left + width]


def crop_range(length: int, crop: int) -> tuple[int, int]:
    """Where a crop from the middle of a side starts and ends: all of the side, if it is shorter."""
    start = 0 if crop > length else _start(length, crop)
    return start, min(length, start + crop)


def end_of_crop(length: int, crop: int) -> int:
    """Where a crop from the middle of a side ends: how much of the side it needs, from 0 on."""
    return length if crop > length else _start(length, crop) + crop


def _start(length: int, crop: int) -> int:
    return round((length - crop) / 2)
