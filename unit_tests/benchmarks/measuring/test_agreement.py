from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.measuring.agreement import DEVIATIONS, compare
from ts.handler_utils.images.pillow import encode_png


def test_pixels_may_differ_by_one_step():
    batch = np.zeros((2, 3, 4, 4))
    assert compare("pixels", batch, batch + 1 / (255 * DEVIATIONS)).agrees
    far = compare("pixels", batch, batch + 2 / (255 * DEVIATIONS))
    assert not far.agrees
    assert far.text == "2.00/255 a pixel, mean 2.000"


@pytest.mark.parametrize(
    ("found", "agrees"),
    [
        ({"cat": 0.60005, "dog": 0.4}, True),
        ({"cat": 0.61, "dog": 0.39}, False),
        ({"dog": 0.4, "cat": 0.6}, False),
        ({"cat": 0.6, "cow": 0.4}, False),
    ],
)
def test_labels_are_to_be_the_same_in_order_and_number(found, agrees):
    assert compare("labels", [{"cat": 0.6, "dog": 0.4}], [found]).agrees is agrees


def test_of_probabilities_the_first_class_and_the_largest_change_are_told():
    expected = [{"cat": 0.6, "dog": 0.4}, {"dog": 0.9, "cat": 0.1}]
    found = compare("probabilities", expected, [{"dog": 0.5, "cat": 0.5}, expected[1]])
    assert found.text == "1 of 2 with the same first class, probabilities 1.0e-01"


def test_masks_are_read_from_json_and_from_png():
    classes = np.array([[0, 1], [2, 2]])
    as_json = json.dumps(np.stack([classes, np.full((2, 2), 0.5)], axis=-1).tolist()).encode()
    as_png = encode_png(Image.fromarray(classes.astype(np.uint8)))
    other = encode_png(Image.fromarray(np.zeros((2, 2), np.uint8)))
    assert compare("masks", [as_json], [as_json]).agrees
    assert compare("masks", [as_json], [as_png]).agrees
    assert compare("masks", [as_json], [other]).text == "3 of 4 pixels of another class"


def test_detections_are_to_be_the_same_in_order_and_number():
    row = [{"cat": [1.0, 2.0, 3.0, 4.0], "score": 0.9}]
    assert compare("boxes", [row], [row]).agrees
    assert not compare("boxes", [row], [[{"cat": [1.0, 2.0, 3.0, 4.5], "score": 0.9}]]).agrees
    near = compare("boxes", [row], [[{"cat": [1.0, 2.0, 3.0, 4.002], "score": 0.9}]])
    assert (near.text, near.agrees) == ("the same 1 detections, scores 0.0e+00, sides 2.0e-03 pixels", True)
    assert not compare("boxes", [row], [[{"cat": [1.0, 2.0, 3.0, 4.0], "score": 0.901}]]).agrees


def test_of_other_detections_it_is_told_how_many_are_the_same():
    cat, dog = {"cat": [1.0, 2.0, 3.0, 4.0], "score": 0.9}, {"dog": [5.0, 6.0, 7.0, 8.0], "score": 0.8}
    swapped = compare("boxes", [[cat, dog]], [[dog, cat]])
    assert (swapped.text, swapped.agrees) == ("2 of 2 detections the same, among 2", False)
    moved = {"dog": [5.0, 6.0, 7.0, 9.0], "score": 0.8}
    assert (
        compare("boxes", [[cat, dog]], [[moved, cat, dog, dog]]).text == "2 of 2 detections the same, among 4"
    )
    assert compare("boxes", [[cat, dog]], [[moved, cat]]).text == "1 of 2 detections the same, among 2"
    assert compare("boxes", [[cat, dog], [dog]], [[], []]).text == "0 of 3 detections the same, among 0"
