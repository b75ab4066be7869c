from __future__ import annotations

import pytest

from ts.handler_utils.pictures.measures import letter_size, line_width


def test_lines_and_letters_grow_with_the_picture() -> None:
    sizes = [(64, 64), (640, 480), (4000, 3000)]
    assert [line_width(size) for size in sizes] == [1, 2, 14]
    assert [letter_size(size) for size in sizes] == [10, 16, 100]


@pytest.mark.parametrize("size", [(1, 1_000_000), (1_000_000, 1), (100_000, 100)])
def test_they_do_not_grow_with_the_length_of_a_thin_picture(size: tuple[int, int]) -> None:
    assert (line_width(size), letter_size(size)) == (1, 10)


def test_letters_have_a_largest_and_a_smallest_size() -> None:
    assert letter_size((8000, 6000)) == 128
    assert letter_size((4000, 3000), 0.5) == 50
    assert letter_size((640, 480), 0.5) == 10
