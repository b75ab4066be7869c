from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ts.handler_utils.pictures.placing import Place, inside, place_captions

SIDES = st.integers(32, 4000)
PATCHES = st.tuples(st.integers(1, 600), st.integers(1, 140))


@st.composite
def crowds(draw: st.DrawFn) -> tuple:
    picture = draw(SIDES), draw(SIDES)
    edge = st.floats(-100, 4100)
    boxes = draw(st.lists(st.tuples(edge, edge, edge, edge), max_size=25))
    sizes = [draw(st.lists(PATCHES, min_size=1, max_size=3)) for _ in boxes]
    return [inside(box, picture) for box in boxes], sizes, picture


@given(crowds())
def test_captions_are_disjoint_and_inside_the_picture(crowd: tuple) -> None:
    boxes, sizes, (width, height) = crowd
    places = place_captions(boxes, sizes, (width, height))
    patches = [
        (place.left, place.top, place.left + of[place.choice][0], place.top + of[place.choice][1])
        for place, of in zip(places, sizes)
        if place is not None
    ]
    assert len(places) == len(boxes)
    assert all(0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height for x1, y1, x2, y2 in patches)
    for one, other in itertools.combinations(patches, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    assert places == place_captions(boxes, sizes, (width, height))


@given(st.tuples(*[st.floats(-1e9, 1e9)] * 4), SIDES, SIDES)
def test_the_first_caption_always_finds_a_place_if_the_picture_can_hold_it(box, width, height) -> None:
    picture = width, height
    (place,) = place_captions([inside(box, picture)], [[(32, 14)]], picture)
    assert place is not None


def test_a_caption_stands_above_its_box_with_which_it_begins() -> None:
    assert place_captions([(40, 60, 160, 120)], [[(50, 20)]], (200, 150)) == [Place(40, 40, 0)]


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((40, 5, 160, 120), (40, 5)),  # no room above: inside
        ((40, 5, 160, 50), (40, 50)),  # which would hide what is in a small box: below
        ((170, 60, 200, 120), (150, 40)),  # not beyond the right edge
        ((0, 0, 200, 150), (0, 0)),
        ((0, 0, 20, 150), (0, 0)),
    ],
)
def test_at_the_edges_of_the_picture(box: tuple, place: tuple) -> None:
    (found,) = place_captions([box], [[(50, 20)]], (200, 150))
    assert found[:2] == place


def test_a_second_caption_of_the_same_box_goes_elsewhere() -> None:
    boxes = [(40, 60, 160, 130)] * 3
    first, second, third = place_captions(boxes, [[(50, 20)]] * 3, (200, 150))
    assert (first[:2], second[:2], third[:2]) == ((40, 40), (110, 40), (40, 60))


def test_what_finds_no_room_is_smaller_or_left_out() -> None:
    boxes = [(10, 10, 20, 20)] * 40
    places = place_captions(boxes, [[(60, 14), (20, 7)]] * 40, (64, 32))
    assert places[0].choice == 0
    assert {place.choice for place in places if place} == {0, 1}
    assert None in places
    assert place_captions(boxes[:1], [[(65, 10), (10, 33)]], (64, 32)) == [None]
