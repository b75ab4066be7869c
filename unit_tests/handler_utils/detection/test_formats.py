"""Detections drawn as a picture: boxes, captions, masks and keypoints in one look."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ts.handler_utils.detection.formats import draw_detections
from ts.handler_utils.pictures.palette import class_colour

GREY = (100, 100, 100)
LABELS = {"1": "person", "2": "dog"}


def detections(boxes: list, labels: list[int], **more: Any) -> dict[str, Any]:
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "scores": torch.linspace(0.97, 0.5, len(labels)),
        **more,
    }


def drawn(found: dict[str, Any], mode: str = "RGB", size: tuple[int, int] = (320, 240)) -> np.ndarray:
    return np.asarray(draw_detections(Image.new("L", size, 100).convert(mode), found, LABELS))


def tint(index: int) -> list[float]:
    return [0.62 * 100 + 0.38 * value for value in class_colour(index)]


def test_a_mask_is_tinted_and_outlined_in_the_colour_of_its_box() -> None:
    masks = torch.zeros(1, 1, 240, 320)
    masks[0, 0, 100:200, 100:200] = 0.9
    picture = drawn(detections([(60, 60, 240, 220)], [1], masks=masks))
    assert picture[150, 150] == pytest.approx(tint(1), abs=1)
    assert picture[150, 60].tolist() == list(class_colour(1))
    assert picture[150, 100] == pytest.approx(class_colour(1), abs=80)
    assert picture[150, 70].tolist() == list(GREY)


def test_masks_that_overlap_are_set_apart_and_the_first_lies_on_top() -> None:
    masks = torch.zeros(2, 1, 240, 320, dtype=torch.bool)
    masks[0, 0, 100:200, 100:200] = masks[1, 0, 100:200, 150:300] = True
    picture = drawn(detections([(100, 100, 200, 200), (150, 100, 300, 200)], [1, 2], masks=masks))
    assert picture[150, 175] == pytest.approx(tint(1), abs=1)
    assert picture[150, 250] == pytest.approx(tint(2), abs=1)
    both = drawn(detections([(0, 0, 1, 1), (0, 0, 1, 1)], [1, 1], masks=masks))
    assert not np.allclose(both[150, 199], tint(1), atol=20)  # the line between two of one class


def test_masks_of_another_size_than_the_photo() -> None:
    masks = torch.zeros(1, 24, 32)
    masks[0, 10:20, 10:20] = 1
    picture = drawn(detections([(0, 0, 5, 5)], [2], masks=masks))
    assert picture[150, 150] == pytest.approx(tint(2), abs=1)
    assert picture[50, 150].tolist() == list(GREY)


def test_captions_have_label_and_score_and_lie_on_top_of_masks_and_keypoints() -> None:
    points = [[(x, 92.0, 1.0) for x in range(60, 120, 4)]]
    box = [(60, 100, 240, 220)]
    plain = drawn(detections(box, [2]))
    dotted = drawn(detections(box, [2], keypoints=torch.tensor(points)))
    masked = drawn(detections(box, [2], masks=torch.ones(1, 240, 320)))
    caption = (slice(86, 99), slice(60, 100))
    assert (plain[caption] == class_colour(2)).all(axis=2).mean() > 0.5
    assert (dotted[caption] == plain[caption]).all()
    assert (masked[caption] == plain[caption]).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "LA"])
def test_photos_of_any_mode(mode: str) -> None:
    assert drawn(detections([(60, 100, 240, 220)], [1]), mode)[150, 60].tolist() == list(class_colour(1))


def test_nothing_found_leaves_the_photo_as_it_is() -> None:
    assert (drawn(detections([], [], masks=torch.zeros(0, 1, 240, 320))) == 100).all()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-50, 700)] * 4), max_size=40), st.integers(1, 640), st.integers(1, 480)
)
def test_a_crowd_on_any_photo_is_drawn_alike_twice(boxes: list, width: int, height: int) -> None:
    found = detections(boxes, [1 + place % 2 for place in range(len(boxes))])
    size = width, height
    assert (drawn(found, size=size) == drawn(found, size=size)).all()


def test_labels_need_not_be_text() -> None:
    photo = Image.new("RGB", (320, 240), GREY)
    found = detections([(60, 100, 240, 220)], [1])
    labels: Any = {"1": 7}
    assert draw_detections(photo, found, labels) == draw_detections(photo, found, {"1": "7"})
