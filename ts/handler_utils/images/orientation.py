"""Images turned upright, as their EXIF orientation says (EXIF 2.32, tag 274)."""

from __future__ import annotations

from typing import NamedTuple

import torch

# For each orientation: whether rows and columns change places, then which dimensions of [..., H, W] are mirrored.
_TURNS: dict[int, tuple[bool, list[int]]] = {
    1: (False, []),
    2: (False, [-1]),
    3: (False, [-2, -1]),
    4: (False, [-2]),
    5: (True, []),
    6: (True, [-1]),
    7: (True, [-2, -1]),
    8: (True, [-2]),
}


class StoredImage(NamedTuple):
    """An image as a decoder of tensors leaves it.

    Attributes:
        values: uint8 [C, H, W], as they are stored.
        orientation: how to turn them upright, as EXIF numbers it.
    """

    values: torch.Tensor
    orientation: int = 1


def lies_on_its_side(orientation: int) -> bool:
    """Whether the upright image is as wide as the stored one is high."""
    return _TURNS[orientation][0]


def turn_upright(values: torch.Tensor, orientation: int) -> torch.Tensor:
    """Turns an image as it is stored upright.

    Args:
        values: [..., H, W].
        orientation: 1 to 8, as EXIF numbers them; 1 is upright.
    """
    transposed, mirrored = _TURNS[orientation]
    values = values.transpose(-2, -1) if transposed else values
    return values.flip(mirrored) if mirrored else values
