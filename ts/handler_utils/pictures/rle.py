"""COCO's run-length encoding of masks."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import torch

from ts.utils.util import PredictionException

CheckSize = Callable[[int], None]
"""Called with the fewest bytes that something will have, before it is made: it raises where these are too many."""


def of_any_size(_: int) -> None:
    """Refuses nothing."""


def encode_rle(mask: np.ndarray, check_size: CheckSize = of_any_size) -> dict[str, Any]:
    """Encodes a binary mask as COCO's tools do: `pycocotools.mask.decode` gives it back.

    Args:
        mask: boolean array [H, W].
        check_size: of the encoding.

    Returns:
        `{"size": [H, W], "counts": text}`: the lengths of runs down the columns, compressed to ASCII.

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    pixels = _down_the_columns(mask)
    changes = pixels[1:] != pixels[:-1]
    check_size(int(np.count_nonzero(changes)) + 1)  # a byte or more for each run
    places = np.flatnonzero(changes) + 1
    return _encode(np.append(0, places) if pixels[0] else places, mask.shape)


def encode_rles(classes: np.ndarray, check_size: CheckSize = of_any_size) -> dict[int, dict[str, Any]]:
    """Encodes the pixels of each class of a map, all at once, as `encode_rle` does those of a mask.

    Args:
        classes: class indexes [H, W], or booleans.
        check_size: of all encodings together.

    Returns:
        The encoding of each class that there is, in the order of their indexes.

    Raises:
        PredictionException: pycocotools is not installed (501).
    """
    pixels = _down_the_columns(classes)
    changes = pixels[1:] != pixels[:-1]
    check_size(
        2 * (int(np.count_nonzero(changes)) + 1)
    )  # a byte or more for each run and what lies before it
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    runs = np.stack([starts, np.append(starts[1:], classes.size)], axis=1)
    of_runs = pixels[starts]
    order = np.argsort(of_runs, kind="stable")
    found, firsts = np.unique(of_runs[order], return_index=True)
    parts = np.split(runs[order], firsts[1:])
    return {int(index): _encode(part.ravel(), classes.shape) for index, part in zip(found, parts)}


def _down_the_columns(pixels: np.ndarray) -> np.ndarray:
    """The pixels of a mask one column after the other, as COCO counts them."""
    pycocotools_mask()  # which is missed before anything is done
    return torch.from_numpy(pixels).t().contiguous().flatten().numpy()


def _encode(changes: np.ndarray, shape: tuple[int, ...]) -> dict[str, Any]:
    """Encodes a mask by the places, down its columns, at which it changes, first to 1."""
    pixels = shape[0] * shape[1]
    places = changes if len(changes) and changes[-1] == pixels else np.append(changes, pixels)
    runs = {"size": list(shape), "counts": np.diff(places, prepend=0)}
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
