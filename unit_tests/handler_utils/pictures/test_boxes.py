from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ts.handler_utils.pictures.boxes import draw_boxes, draw_keypoints
from ts.handler_utils.pictures.palette import class_colour

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (100, 100, 100)


def with_boxes(boxes: list, colours: tuple = (RED, BLUE), size: tuple[int, int] = (200, 150)) -> Image.Image:
    drawn = Image.new("RGB", size, GREY)
    draw_boxes(drawn, boxes, colours)
    return drawn


def with_dots(*objects: list, size: tuple[int, int] = (200, 150)) -> Image.Image:
    drawn = Image.new("RGB", size, GREY)
    draw_keypoints(drawn, objects)
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
    points = [(50, 60, 1), (side, 60, 1), (50, side, 1)]
    assert with_dots(points) == with_dots(points[:1])


# Keypoints ---------------------------------------------------------------------------------------------------


def test_visible_keypoints_are_dots_of_their_own_colours_and_others_are_not_drawn() -> None:
    drawn = with_dots([(50, 60, 1), (100, 60, 1), (150, 60, 0)])
    assert drawn.getpixel((50, 60)) == class_colour(0)
    assert drawn.getpixel((100, 60)) == class_colour(1)
    assert drawn.getpixel((150, 60)) == GREY


def test_the_keypoints_of_each_object_have_the_same_colours() -> None:
    drawn = with_dots([(20, 30, 1), (60, 30, 1)], [(100, 90, 1), (140, 90, 1)])
    assert drawn.getpixel((60, 30)) == drawn.getpixel((140, 90)) == class_colour(1)


def test_a_dot_is_round_and_dark_at_its_rim() -> None:
    drawn = np.asarray(with_dots([(500, 400, 1)], size=(1000, 800)))[390:411, 490:511]
    assert (drawn == GREY).all(axis=2)[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    assert (drawn == 0).all(axis=2).any()
    assert (drawn == drawn[::-1]).all()


def test_a_dot_at_the_edge_keeps_its_shape() -> None:
    size = 1000, 800
    inside = with_dots([(500, 400, 1)], size=size).crop((500, 380, 520, 420))
    assert with_dots([(0, 400, 1)], size=size).crop((0, 380, 20, 420)) == inside
