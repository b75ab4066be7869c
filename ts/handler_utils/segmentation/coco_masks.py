"""Class maps as COCO's results (https://cocodataset.org/#format-results)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ts.handler_utils.pictures.rle import encode_rle
from ts.handler_utils.segmentation.class_maps import ClassMap


def coco_segments(found: ClassMap, labels: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """One result for each class that an image shows, the background included, in the order of their indexes.

    Args:
        found: the class of each pixel, and its probability.
        labels: labels by class index (a string).

    Returns:
        For each class `category_id` (its index), `label`, `score` (the mean probability over its pixels),
        `area` (pixels), `bbox` ([x, y, width, height] in pixels) and `segmentation` (its pixels, run-length
        encoded: `{"size": [H, W], "counts": text}`).

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    segments = []
    for index in np.unique(found.classes).tolist():
        mask = found.classes == index
        segments.append(
            {
                "category_id": index,
                "label": (labels or {}).get(str(index), str(index)),
                "score": float(found.probabilities[mask].mean()),
                "area": int(mask.sum()),
                "bbox": _bounding_box(mask),
                "segmentation": encode_rle(mask),
            }
        )
    return segments


def _bounding_box(mask: np.ndarray) -> list[int]:
    """[x, y, width, height] of the pixels of a mask, of which there is at least one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = columns[0], rows[0]
    return [int(x), int(y), int(columns[-1] - x + 1), int(rows[-1] - y + 1)]
