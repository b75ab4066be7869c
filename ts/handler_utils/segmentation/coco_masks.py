"""Class maps as COCO's results (https://cocodataset.org/#format-results)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ts.handler_utils.pictures.rle import CheckSize, encode_rles, of_any_size, pycocotools_mask
from ts.handler_utils.segmentation.class_maps import ClassMap

_ROWS = 256  # whose probabilities are summed at a time, in float64


def coco_segments(
    found: ClassMap,
    labels: Mapping[str, str] | None,
    check_size: CheckSize = of_any_size,
) -> list[dict[str, Any]]:
    """One result for each class that an image shows, the background included, in the order of their indexes.

    Args:
        found: the class of each pixel, and its probability.
        labels: labels by class index (a string).
        check_size: of the results as JSON.

    Returns:
        For each class `category_id` (its index), `label`, `score` (the mean probability over its pixels),
        `area` (pixels), `bbox` ([x, y, width, height] in pixels) and `segmentation` (its pixels, run-length
        encoded: `{"size": [H, W], "counts": text}`).

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    encodings = encode_rles(found.classes, check_size)
    scores = _mean_probabilities(found)
    coco = pycocotools_mask()
    return [
        {
            "category_id": index,
            "label": (labels or {}).get(str(index), str(index)),
            "score": float(scores[index]),
            "area": int(coco.area(encoding)),
            "bbox": [int(value) for value in coco.toBbox(encoding)],
            "segmentation": encoding,
        }
        for index, encoding in encodings.items()
    ]


def _mean_probabilities(found: ClassMap) -> np.ndarray:
    """The mean of the probabilities over the pixels of each class, by its index."""
    count = int(found.classes.max(initial=0)) + 1
    sums, pixels = np.zeros(count), np.zeros(count)
    for top in range(0, len(found.classes), _ROWS):
        classes = found.classes[top : top + _ROWS].ravel()
        sums += np.bincount(classes, found.probabilities[top : top + _ROWS].ravel(), minlength=count)
        pixels += np.bincount(classes, minlength=count)
    return sums / np.maximum(pixels, 1)
