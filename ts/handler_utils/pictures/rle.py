"""COCO's run-length encoding of masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ts.utils.util import PredictionException


def encode_rle(mask: np.ndarray) -> dict[str, Any]:
    """Encodes a binary mask as COCO's tools do: `pycocotools.mask.decode` gives it back.

    Args:
        mask: boolean array [H, W].

    Returns:
        `{"size": [H, W], "counts": text}`: the lengths of runs down the columns, compressed to ASCII.

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    try:
        from pycocotools.mask import encode
    except ImportError as error:
        message = "Run-length encoded masks need pycocotools: pip install 'torchserve-handlers[coco]'"
        raise PredictionException(message, 501) from error
    rle = encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}
