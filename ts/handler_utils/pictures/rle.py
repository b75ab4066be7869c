"""COCO's run-length encoding of masks."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import torch

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
    return encode_rles(mask).get(1) or _encode(np.empty(0, np.int64), mask.shape)


def encode_rles(
    classes: np.ndarray, check_size: Callable[[int], None] = lambda size: None
) -> dict[int, dict[str, Any]]:
    """Encodes the pixels of each class of a map, all at once, as `encode_rle` does those of a mask.

    Args:
        classes: class indexes [H, W], or booleans.
        check_size: called with the fewest bytes that all encodings will have together, before they are made.

    Returns:
        The encoding of each class that there is, in the order of their indexes.

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    pycocotools_mask()
    down_the_columns = torch.from_numpy(classes).t().contiguous().flatten().numpy()
    changes = down_the_columns[1:] != down_the_columns[:-1]
    check_size(
        2 * (int(np.count_nonzero(changes)) + 1)
    )  # where each run begins and ends, a byte or more each
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    runs = np.stack([starts, np.append(starts[1:], classes.size)], axis=1)
    of_runs = down_the_columns[starts]
    order = np.argsort(of_runs, kind="stable")
    found, firsts = np.unique(of_runs[order], return_index=True)
    parts = np.split(runs[order], firsts[1:])
    return {int(index): _encode(part.ravel(), classes.shape) for index, part in zip(found, parts)}


def _encode(changes: np.ndarray, shape: tuple[int, ...]) -> dict[str, Any]:
    """Encodes a mask by the places, down its columns, at which it changes, first to 1."""
    pixels = shape[0] * shape[1]
    ends = [] if len(changes) and changes[-1] == pixels else [pixels]
    runs = {"size": list(shape), "counts": np.diff(np.concatenate([[0], changes, ends]))}
    (rle,) = pycocotools_mask().frPyObjects([runs], *shape)
    return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}


def pycocotools_mask() -> Any:
    """The module `pycocotools.mask`.

    Raises:
        PredictionException: it is not installed (501).
    """
    try:
        import pycocotools.mask
    except ImportError as error:
        message = "Run-length encoded masks need pycocotools: pip install 'torchserve-handlers[coco]'"
        raise PredictionException(message, 501) from error
    return pycocotools.mask
