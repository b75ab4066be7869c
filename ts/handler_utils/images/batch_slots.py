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

    Attributes:
        batch: float32 [rows, *shape], not filled yet.
    """

    def __init__(self, rows: int, shape: Sequence[int] | None) -> None:
        self.batch = torch.empty((rows if shape else 0, *(shape or ())))
        self._places = list(self.batch)

    def place(self, index: int, shape: Sequence[int]) -> torch.Tensor | None:
        """Where a row of a shape is to be written; None if there is no room for it."""
        fits = index < len(self._places) and self._places[index].shape == tuple(shape)
        return self._places[index] if fits else None

    def are_filled_by(self, rows: Sequence[torch.Tensor]) -> bool:
        """Whether these rows, all of them, were written in their places."""
        return len(rows) == len(self._places) and all(map(operator.is_, rows, self._places))
