"""A batch whose rows are written by several threads, each in its place."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch


class BatchSlots:
    """Room for a batch. To stack its rows afterwards would take a second pass through memory, by one thread.

    Args:
        rows: of the batch.
        shape: of each row; None where it is not known, and there is no room.
        device: where the batch goes. The CPU takes it as the model does; another device gets pixels, which are a
            quarter of the bytes, and normalizes them itself.

    Attributes:
        batch: float32 [rows, *shape], or uint8 for another device than the CPU; not filled yet.
    """

    def __init__(self, rows: int, shape: Sequence[int] | None, device: torch.device) -> None:
        self.batch = torch.empty(
            (rows if shape else 0, *(shape or ())),
            dtype=torch.float32 if device.type == "cpu" else torch.uint8,
            pin_memory=device.type == "cuda",  # page-locked: it is copied while the CPU goes on
        )
        self._places = list(self.batch)

    def place(self, index: int, shape: Sequence[int]) -> torch.Tensor | None:
        """Where a row of a shape is to be written; None if there is no room for it."""
        fits = index < len(self._places) and self._places[index].shape == tuple(shape)
        return self._places[index] if fits else None

    def put(self, index: int, pixels: torch.Tensor) -> torch.Tensor:
        """Copies pixels to their place, and returns that; the pixels themselves if there is none."""
        place = self.place(index, pixels.shape) if pixels.dtype == self.batch.dtype else None
        return pixels.contiguous() if place is None else place.copy_(pixels)

    def are_filled_by(self, rows: Sequence[torch.Tensor]) -> bool:
        """Whether these rows, all of them, were written in their places."""
        return len(rows) == len(self._places) and all(map(operator.is_, rows, self._places))
