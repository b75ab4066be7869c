"""Numbers in answers, and how far they are apart."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np


def array_of(value: Any, *, booleans: bool = False) -> Optional[np.ndarray]:
    """A number, or nested lists of numbers that form an array, as floats; None for anything else.

    Args:
        value: Of an answer.
        booleans: Whether true and false are numbers.
    """
    leaf = value
    while isinstance(leaf, list) and leaf:
        leaf = leaf[0]
    if not isinstance(leaf, (int, float)) or (isinstance(leaf, bool) and not booleans):
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # rows of differing lengths
        return None
    return array.astype(float) if array.dtype.kind in ("biuf" if booleans else "iuf") else None


def apart(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The differences, each as a part of the old number where that is above 1; of NaN and NaN 0."""
    same = (old == new) | (np.isnan(old) & np.isnan(new))
    with np.errstate(invalid="ignore"):
        differences = np.where(same, 0.0, np.abs(old - new) / np.maximum(1.0, np.abs(old)))
    return np.nan_to_num(differences, nan=np.inf, posinf=np.inf)
