from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.pictures.keypoints import draw_keypoints

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (100, 100, 100)


def drawn(*objects: list, size: tuple[int, int] = (200, 150), labels: tuple[str, ...] = ()) -> Image.Image:
    picture = Image.new("RGB", size, GREY)
    draw_keypoints(picture, objects, [RED, BLUE], labels)
    return picture


def person(**places: tuple[int, int]) -> list[tuple[float, float, int]]:
    """COCO's 17 keypoints, of which these are seen."""
    names = ["nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"]
    return [(*places[name], 1) if name in places else (0, 0, 0) for name in [*names, *[""] * 10]]


def test_visible_keypoints_are_dots_in_the_colour_of_their_object_and_others_are_not_drawn() -> None:
    picture = drawn([(50, 60, 1), (150, 60, 0)], [(100, 60, 1)])
    assert picture.getpixel((50, 60)) == RED
    assert picture.getpixel((100, 60)) == BLUE
    assert picture.getpixel((150, 60)) == GREY


def test_a_dot_is_round_and_dark_at_its_rim() -> None:
    dot = np.asarray(drawn([(500, 400, 1)], size=(1000, 800)))[390:411, 490:511]
    assert (dot == GREY).all(axis=2)[[0, 0, -1, -1], [0, -1, 0, -1]].all()
    assert (dot == 0).all(axis=2).any()
    assert (dot == dot[::-1]).all()


def test_a_dot_at_the_edge_keeps_its_shape() -> None:
    size = 1000, 800
    inside = drawn([(500, 400, 1)], size=size).crop((500, 380, 520, 420))
    assert drawn([(0, 400, 1)], size=size).crop((0, 380, 20, 420)) == inside


def test_a_person_has_limbs_between_the_keypoints_that_are_seen() -> None:
    shoulders = person(left_shoulder=(50, 60), right_shoulder=(150, 60))
    assert drawn(shoulders, labels=("Person",)).getpixel((100, 60)) == RED
    one = person(left_shoulder=(50, 60))
    assert drawn(one, labels=("person",)).getpixel((100, 60)) == GREY
    unjoined = person(left_ear=(50, 60), right_ear=(150, 60))
    assert drawn(unjoined, labels=("person",)).getpixel((100, 60)) == GREY


@pytest.mark.parametrize(("label", "keypoints"), [("horse", 17), ("person", 16)])
def test_keypoints_of_another_kind_have_none(label: str, keypoints: int) -> None:
    shoulders = person(left_shoulder=(50, 60), right_shoulder=(150, 60))[:keypoints]
    assert drawn(shoulders, labels=(label,)).getpixel((100, 60)) == GREY


@pytest.mark.parametrize("side", [-1e9, -1e30, 1e9, 1e30])
def test_what_lies_far_beyond_the_photo_is_not_seen(side: float) -> None:
    points = [(50, 60, 1), (side, 60, 1), (50, side, 1)]
    assert drawn(points) == drawn(points[:1])
    assert drawn(person(nose=(side, side), left_eye=(5, 5)), labels=("person",)).size == (200, 150)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_tiny_and_thin_photos(size: tuple[int, int]) -> None:
    assert drawn([(0, 0, 1)], size=size).getpixel((0, 0)) == RED
