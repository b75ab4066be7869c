"""Class maps as COCO's results."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ts.handler_utils.segmentation.class_maps import ClassMap
from ts.handler_utils.segmentation.coco_masks import coco_segments
from ts.utils.util import PredictionException

FOUND = ClassMap(
    np.array([[0, 0, 0, 0], [0, 7, 7, 0], [0, 0, 7, 0]], dtype=np.uint8),
    np.array([[1, 1, 1, 1], [1, 0.5, 0.6, 1], [1, 1, 0.7, 1]], dtype=np.float32),
)


@pytest.fixture
def coco():
    return pytest.importorskip("pycocotools.mask", reason="needs pycocotools: pip install pycocotools")


def test_each_class_has_its_pixels_area_box_and_mean_probability(coco):
    background, thing = coco_segments(FOUND, {"0": "background", "7": "cat"})
    assert (background["category_id"], background["label"], background["area"]) == (0, "background", 9)
    assert background["bbox"] == [0, 0, 4, 3]
    assert background["score"] == 1.0
    assert (thing["category_id"], thing["label"], thing["area"]) == (7, "cat", 3)
    assert thing["bbox"] == [1, 1, 2, 2]
    assert thing["score"] == pytest.approx(0.6, abs=1e-6)
    assert coco.decode(thing["segmentation"]).tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 0]]


def test_a_class_with_no_label_shows_its_index(coco):
    assert [segment["label"] for segment in coco_segments(FOUND, {"0": "background"})] == ["background", "7"]
    assert [segment["label"] for segment in coco_segments(FOUND, None)] == ["0", "7"]


def test_pycocotools_reads_them(coco):
    for segment in coco_segments(FOUND, None):
        runs = segment["segmentation"]
        assert runs["size"] == [3, 4]
        assert np.array_equal(coco.decode(runs), FOUND.classes == segment["category_id"])
        assert coco.area(runs) == segment["area"]
        assert coco.toBbox(runs).tolist() == segment["bbox"]


def test_the_mean_probability_of_a_large_map_is_that_of_its_pixels(coco):
    generator = np.random.default_rng(0)
    classes = generator.integers(0, 3, (600, 50), dtype=np.uint8)
    found = ClassMap(classes, generator.random((600, 50), dtype=np.float32))
    for segment in coco_segments(found, None):
        pixels = found.probabilities[classes == segment["category_id"]]
        assert segment["score"] == pytest.approx(float(pixels.mean(dtype=np.float64)), abs=1e-9)


def test_without_pycocotools_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.setitem(sys.modules, "pycocotools.mask", None)
    with pytest.raises(PredictionException, match="pip install") as raised:
        coco_segments(FOUND, None)
    assert raised.value.error_code == 501
