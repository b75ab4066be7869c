"""Run-length encodings are those of COCO's own tools, and what they cost is known before they are made."""

from __future__ import annotations

import numpy as np
import pytest

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.pictures.rle import encode_rle, encode_rles

coco = pytest.importorskip("pycocotools.mask", reason="needs pycocotools: pip install pycocotools")


def of_coco(mask: np.ndarray) -> dict:
    found = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


MASKS = {
    "noise": np.random.default_rng(0).random((50, 70)) > 0.5,
    "nothing": np.zeros((3, 4), dtype=bool),
    "everything": np.ones((3, 4), dtype=bool),
    "a diagonal": np.eye(5, dtype=bool),
    "long runs": np.arange(300 * 400).reshape(300, 400) > 70_000,
    "a checkerboard": np.indices((9, 7)).sum(axis=0) % 2 == 0,
    "one pixel": np.ones((1, 1), dtype=bool),
}


@pytest.mark.parametrize("name", MASKS)
def test_a_masks_encoding_is_that_of_pycocotools(name: str) -> None:
    assert encode_rle(MASKS[name]) == of_coco(MASKS[name])


@pytest.mark.parametrize(("dtype", "count"), [(np.uint8, 21), (np.int32, 300)])
def test_each_class_of_a_map_is_encoded_as_its_mask(dtype: type, count: int) -> None:
    classes = np.random.default_rng(1).integers(0, count, (40, 60)).astype(dtype)
    found = encode_rles(classes)
    assert list(found) == sorted({*classes.ravel().tolist()})
    for index, encoding in found.items():
        assert encoding == of_coco(classes == index)


@pytest.mark.parametrize("name", MASKS)
def test_the_fewest_bytes_are_told_before_they_are_made(name: str) -> None:
    told: list[int] = []
    found = encode_rles(MASKS[name], told.append)
    mask = encode_rle(MASKS[name], told.append)
    assert 0 < told[0] <= sum(len(encoding["counts"]) for encoding in found.values())
    assert 0 < told[1] <= len(mask["counts"])


def test_what_is_refused_by_its_size_is_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(size: int) -> None:
        raise InvalidInput(f"{size} bytes are too many")

    monkeypatch.setattr(coco, "frPyObjects", None)
    with pytest.raises(InvalidInput, match="126 bytes are too many"):
        encode_rles(MASKS["a checkerboard"], refuse)
