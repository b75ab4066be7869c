from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ts.handler_utils.pictures.boxes import draw_boxes

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (100, 100, 100)


def with_boxes(boxes: list, colours: tuple = (RED, BLUE), size: tuple[int, int] = (200, 150)) -> Image.Image:
    drawn = Image.new("RGB", size, GREY)
    draw_boxes(drawn, boxes, colours)
    return drawn


def test_a_box_is_drawn_where_it_is_between_thin_shades() -> None:
    drawn = with_boxes([(40, 60, 160, 120)])
    assert [drawn.getpixel((x, 90)) for x in range(38, 45)] == [
        GREY,
        (50, 50, 50),
        RED,
        RED,
        (50, 50, 50),
        GREY,
        GREY,
    ]
    assert drawn.getpixel((160, 90)) == drawn.getpixel((100, 60)) == drawn.getpixel((100, 120)) == RED


@pytest.mark.parametrize(
    ("size", "width"), [((64, 64), 2), ((640, 480), 2), ((1920, 1080), 8), ((4000, 3000), 18)]
)
def test_lines_grow_with_the_photo(size: tuple[int, int], width: int) -> None:
    x, y = size[0] // 8, size[1] // 8
    drawn = np.asarray(with_boxes([(x, y, 7 * x, 7 * y)], size=size))
    assert (drawn[4 * y, : 4 * x] == RED).all(axis=1).sum() == width


def test_lines_of_small_boxes_are_thin() -> None:
    drawn = np.asarray(with_boxes([(100, 100, 148, 160)], size=(4000, 3000)))
    assert (drawn[130, :124] == RED).all(axis=1).sum() == 4


def test_where_boxes_overlap_the_first_lies_on_top() -> None:
    assert with_boxes([(40, 60, 160, 120)] * 2).getpixel((40, 90)) == RED


def test_corners_in_the_wrong_order_are_no_error() -> None:
    assert with_boxes([(160, 120, 40, 60)]) == with_boxes([(40, 60, 160, 120)])


@given(st.lists(st.tuples(*[st.floats(-1e30, 1e30)] * 4), max_size=4), st.integers(1, 60), st.integers(1, 60))
def test_any_finite_box_on_any_photo(boxes: list, width: int, height: int) -> None:
    assert with_boxes(boxes, (RED,) * 4, (width, height)).size == (width, height)


@pytest.mark.parametrize("side", [-1e9, -1e30, 1e9, 1e30])
def test_what_lies_far_beyond_the_photo_is_drawn_as_what_lies_just_beyond_it(side: float) -> None:
    near = math.copysign(400, side)
    for far_box, near_box in [
        ((side, 60, 90, 120), (near, 60, 90, 120)),
        ((20, side, 90, 120), (20, near, 90, 120)),
        ((side, side, -side, -side), (near, near, -near, -near)),
    ]:
        assert with_boxes([far_box]) == with_boxes([near_box])
