from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ts.handler_utils.pictures.captions import Caption
from ts.handler_utils.pictures.legend import draw_legend

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (100, 100, 100)
ENTRIES = [Caption("cat", "40%"), Caption("dog", "<1%")]


def drawn(entries: list, colours: list, size: tuple[int, int] = (640, 480), importance=None) -> np.ndarray:
    picture = Image.new("RGB", size, GREY)
    draw_legend(picture, entries, colours, importance)
    return np.asarray(picture)


def extent(picture: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.nonzero((picture != 100).any(axis=2))
    return tuple(map(int, (columns.min(), rows.min(), columns.max(), rows.max())))


def lines(picture: np.ndarray, colour: tuple = RED) -> int:
    """How many swatches of a colour there are below each other."""
    found = (picture == colour).all(axis=2).any(axis=1)
    return int((np.diff(found.astype(int)) == 1).sum())


def test_each_colour_is_named_on_a_dark_panel_in_their_order() -> None:
    picture = drawn(ENTRIES, [RED, BLUE])
    reds, blues = ((picture == colour).all(axis=2).nonzero()[0] for colour in (RED, BLUE))
    assert reds.max() < blues.min()
    left, top, *_ = extent(picture)
    assert picture[top + 3, left + 3].max() < 50
    assert (picture[..., 1] > 230).sum() > 50


def test_a_share_stands_at_the_right() -> None:
    with_share, without = drawn(ENTRIES[:1], [RED]), drawn([Caption("cat")], [RED])
    assert extent(with_share)[2] > extent(without)[2] + 20


@pytest.mark.parametrize("corner", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_it_covers_the_corner_that_matters_least(corner: tuple[int, int]) -> None:
    importance = np.ones((8, 8))
    x, y = corner
    importance[4 * y : 4 * y + 4, 4 * x : 4 * x + 4] = 0.5
    left, top, right, bottom = extent(drawn(ENTRIES, [RED, BLUE], importance=importance))
    assert ((left + right) // 640, (top + bottom) // 480) == corner


def test_of_equal_corners_it_covers_the_upper_left_one() -> None:
    for importance in (None, np.ones((3, 5)), np.zeros((3, 5))):
        left, top, *_ = extent(drawn(ENTRIES, [RED, BLUE], importance=importance))
        assert (left, top) == (8, 8)


def test_many_entries_are_counted_in_the_last_line() -> None:
    picture = drawn([Caption(str(number)) for number in range(40)], [RED] * 40)
    assert lines(picture) == 8  # and one that says "and 32 more"
    nine = drawn([Caption(str(number)) for number in range(9)], [RED] * 9)
    assert lines(nine) == 9
    assert lines(drawn([Caption("a")] * 40, [RED] * 40, (640, 2000))) == 11


def test_it_grows_with_the_picture() -> None:
    for size, high in (((640, 480), 28), ((4000, 3000), 216)):
        _, top, _, bottom = extent(drawn(ENTRIES[:1], [RED], size))
        assert bottom + 1 - top == pytest.approx(high, abs=8)


@given(
    st.lists(st.tuples(st.text(max_size=80), st.sampled_from(["", "<1%", "100%"])), max_size=30),
    st.integers(1, 700),
    st.integers(1, 700),
)
def test_it_takes_at_most_a_part_of_the_picture(texts: list, width: int, height: int) -> None:
    entries = [Caption(label, note) for label, note in texts]
    picture = drawn(entries, [RED, None, BLUE] * 10, (width, height))
    if (picture != 100).any():
        left, top, right, bottom = extent(picture)
        assert right + 1 - left <= 0.6 * width + 2
        assert bottom + 1 - top <= 0.45 * height + 1
    assert (picture == drawn(entries, [RED, None, BLUE] * 10, (width, height))).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (40, 30), (2000, 3)])
def test_a_picture_too_small_for_a_line_has_no_legend(size: tuple[int, int]) -> None:
    assert (drawn(ENTRIES, [RED, BLUE], size) == 100).all()


def test_without_entries_there_is_no_legend() -> None:
    assert (drawn([], []) == 100).all()
