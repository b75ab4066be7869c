"""The middle of an image, as torchvision's `CenterCrop` cuts it."""

from __future__ import annotations

import torch
from torch.nn import functional


def center_crop(values: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Cuts a rectangle from the middle; an image that is smaller gets a black border first.

    Args:
        values: [C, H, W].

    Returns:
        [C, height, width].
    """
    own_height, own_width = values.shape[-2:]
    missing_rows, missing_columns = max(height - own_height, 0), max(width - own_width, 0)
    if missing_rows or missing_columns:
        left, top = missing_columns // 2, missing_rows // 2
        values = functional.pad(values, (left, missing_columns - left, top, missing_rows - top))
    own_height, own_width = values.shape[-2:]
    top, left = round((own_height - height) / 2), round((own_width - width) / 2)
    return values[..., top : top + height, left : left + width]
