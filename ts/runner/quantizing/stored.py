"""Lists of arrays on the disk, since those of many large photos need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np


class Stored:
    """Lists of arrays, in the order in which they were added.

    Args:
        folder: where they lie; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        folder.mkdir()

    def __len__(self) -> int:
        return self._count

    def add(self, arrays: Sequence[np.ndarray]) -> None:
        """Adds a list.

        Raises:
            OSError: it cannot be written.
        """
        with self._path(self._count).open("wb") as file:
            for array in (np.array(len(arrays)), *arrays):
                np.save(file, array, allow_pickle=False)
        self._count += 1

    def __iter__(self) -> Iterator[list[np.ndarray]]:
        return map(self._read, range(self._count))

    def _read(self, place: int) -> list[np.ndarray]:
        with self._path(place).open("rb") as file:
            return [np.load(file, allow_pickle=False) for _ in range(int(np.load(file)))]

    def _path(self, place: int) -> Path:
        return self._folder / f"{place}.npy"
