from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.pictures.captions import Caption, draw_captions, per_cent

RED, BLUE = (255, 0, 0), (0, 0, 255)


def drawn(boxes: list, captions: list, size: tuple[int, int] = (200, 150)) -> np.ndarray:
    picture = Image.new("RGB", size, (100, 100, 100))
    draw_captions(picture, boxes, captions, [RED, BLUE, RED][: len(boxes)])
    return np.asarray(picture)


def extent(picture: np.ndarray) -> tuple[int, ...]:
    """The first and last columns and rows that were drawn on: (x1, y1, x2, y2)."""
    rows, columns = np.nonzero((picture != 100).any(axis=2))
    return tuple(map(int, (columns.min(), rows.min(), columns.max(), rows.max())))


def test_a_caption_is_text_on_a_patch_of_its_colour() -> None:
    picture = drawn([(40, 60, 160, 120)], [Caption("cat", "97%")])
    left, top, right, bottom = extent(picture)
    assert (left, bottom) == (40, 59)
    patch = picture[top : bottom + 1, left : right + 1]
    assert (patch[1, 1:-1] == RED).all()
    assert (patch[[0, -1], :, 0] == 165).all()  # its darker edge
    assert (patch[..., 1] > 200).sum() > 10  # white letters


def test_letters_grow_with_the_picture() -> None:
    heights = []
    for size in ((320, 240), (4000, 3000)):
        _, top, _, bottom = extent(drawn([(0, 0, *size)], [Caption("cat")], size))
        heights.append(bottom + 1 - top)
    assert heights == [14, 136]


def test_beside_a_narrow_box_letters_are_smaller() -> None:
    _, top, _, bottom = extent(drawn([(500, 500, 600, 900)], [Caption("cat", "97%")], (4000, 3000)))
    assert bottom + 1 - top == 68


def test_long_labels_are_cut_and_scores_are_not() -> None:
    box = (10, 60, 190, 120)
    long, short = drawn([box], [Caption("a" * 500, "97%")]), drawn([box], [Caption("a", "97%")])
    left, top, right, bottom = extent(long)
    assert right - left <= 0.45 * 200 + 10
    width = extent(short)[2] - left
    assert (
        long[top : bottom + 1, right - 20 : right]
        == short[top : bottom + 1, left + width - 20 : left + width]
    ).all()


def test_captions_do_not_cover_each_other() -> None:
    picture = drawn([(40, 60, 160, 120)] * 2, [Caption("cat"), Caption("dog")])
    for colour, alone in ((RED, 0), (BLUE, 1)):
        whole = drawn([(40, 60, 160, 120)], [[Caption("cat")], [Caption("dog")]][alone])
        patch = (whole == RED).all(axis=2).sum()
        assert (picture == colour).all(axis=2).sum() == patch


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (8, 6)])
def test_on_a_picture_too_small_for_it_a_caption_is_left_out(size: tuple[int, int]) -> None:
    assert (drawn([(0, 0, *size)], [Caption("wine glass", "97%")], size) == 100).all()


@pytest.mark.parametrize("label", ["", "кошка 猫", "two\nlines", "\ud800"])
def test_any_label(label: str) -> None:
    assert extent(drawn([(40, 60, 160, 120)], [Caption(label, "97%")]))[3] == 59


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0%"),
        (0.001, "<1%"),
        (0.0099, "<1%"),
        (0.01, "1%"),
        (0.974, "97%"),
        (0.9949, "99%"),
        (0.996, ">99%"),
        (1, "100%"),
    ],
)
def test_shares_in_per_cent(share: float, text: str) -> None:
    assert per_cent(share) == text
