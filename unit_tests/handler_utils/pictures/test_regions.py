from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ts.handler_utils.pictures.regions import colours_beneath, draw_regions, grid_size

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (100, 100, 100)


def halves(size: tuple[int, int] = (200, 150), left: int = 0, right: int = 1) -> np.ndarray:
    regions = np.full(size[::-1], left, dtype=np.uint8)
    regions[:, size[0] // 2 :] = right
    return regions


def drawn(regions: np.ndarray, colours: dict, size: tuple[int, int] = (200, 150)) -> np.ndarray:
    picture = Image.new("RGB", size, GREY)
    draw_regions(picture, regions, colours)
    return np.asarray(picture)


def test_a_region_is_tinted_and_the_rest_is_left_as_it_is() -> None:
    picture = drawn(halves(), {1: RED})
    assert (picture[:, :97] == GREY).all()
    assert picture[75, 150] == pytest.approx((159, 62, 62), abs=1)  # 0.38 of red


@pytest.mark.parametrize(("size", "width"), [((200, 150), 2), ((640, 480), 2), ((4000, 3000), 18)])
def test_its_edge_is_a_line_of_its_colour_beside_a_dark_one(size: tuple[int, int], width: int) -> None:
    row = drawn(halves(size), {1: RED}, size)[size[1] // 2].astype(int)
    middle = size[0] // 2
    line = row[middle : middle + width]
    assert line[width // 2] == pytest.approx(RED, abs=60)
    assert line[:, 0].mean() > 200
    assert row[middle - 1 - width // 4].mean() < 75  # darker than the photo
    assert (row[middle + 2 * width + 4] == row[-1]).all()
    assert (row[: middle - 2 * width - 4] == 100).all()


@pytest.mark.parametrize("photo", [(0, 0, 0), (255, 255, 255), RED, (128, 128, 128)])
def test_the_outline_stands_out_on_any_photo(photo: tuple[int, int, int]) -> None:
    picture = Image.new("RGB", (200, 150), photo)
    draw_regions(picture, halves(), {1: (230, 159, 0)})
    apart = np.abs(np.asarray(picture).astype(int) - photo).sum(axis=2)[75, 96:104]
    assert apart.max() > 150


def test_where_regions_meet_their_lines_share_the_width() -> None:
    row = drawn(halves((640, 480), 1, 2), {1: BLUE, 2: RED}, (640, 480))[240].astype(int)
    tints = (row == row[0]).all(axis=1) | (row == row[-1]).all(axis=1)
    assert np.flatnonzero(~tints).tolist() == [318, 319, 320, 321]  # beside a background: one more
    assert row[318, 2] > 160 > row[318, 0]
    assert row[321, 0] > 160 > row[321, 2]


def test_regions_at_the_edge_of_the_photo_have_no_line_there() -> None:
    picture = drawn(halves(), {1: RED})
    assert (picture[[0, -1], 150] == picture[75, 150]).all()
    assert (picture[:, -1] == picture[75, 150]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_indexes_of_any_type(dtype: type) -> None:
    assert (drawn(halves().astype(dtype), {1: RED}) == drawn(halves(), {1: RED})).all()


def test_a_map_of_another_size_is_scaled_without_mixing_regions() -> None:
    picture = drawn(np.array([[0, 1], [2, 0]]), {1: RED, 2: BLUE})
    assert picture[30, 50].tolist() == picture[120, 150].tolist() == list(GREY)
    assert picture[30, 150] == pytest.approx((159, 62, 62), abs=1)
    assert picture[120, 50] == pytest.approx((62, 62, 159), abs=1)


def test_a_region_beyond_256_is_drawn_too() -> None:
    assert drawn(np.full((150, 200), 70_000), {70_000: RED})[75, 100] == pytest.approx((159, 62, 62), abs=1)


def test_a_map_of_three_dimensions_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"two dimensions, not the shape \(1, 150, 200\)"):
        drawn(np.zeros((1, 150, 200), dtype=int), {})


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 3)))
def test_any_map_on_small_photos_is_drawn_alike_twice(regions: np.ndarray) -> None:
    for size in ((1, 1), (17, 5), (3, 200)):
        colours = {1: RED, 3: BLUE}
        assert (drawn(regions, colours, size) == drawn(regions, colours, size)).all()
        assert (drawn(regions, {}, size) == GREY).all()


@pytest.mark.parametrize(
    ("photo", "grid"),
    [
        ((1, 1), (1, 1)),
        ((320, 240), (320, 240)),
        ((1920, 1080), (960, 540)),
        ((4096, 3072), (1024, 768)),
        ((35_000, 350), (11_667, 117)),
    ],
)
def test_large_photos_are_drawn_on_a_smaller_grid(photo: tuple[int, int], grid: tuple[int, int]) -> None:
    assert grid_size(photo) == grid


def test_the_colours_beneath_regions_are_means() -> None:
    photo = Image.new("RGB", (400, 300), (10, 20, 30))
    photo.paste((200, 100, 0), (200, 0, 300, 300))
    photo.paste((100, 0, 50), (300, 0, 400, 300))
    beneath = colours_beneath(photo, halves((40, 30)))
    assert beneath[0] == (10, 20, 30)
    assert beneath[1] == pytest.approx((150, 50, 25), abs=2)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3)])
def test_the_colours_beneath_regions_of_thin_photos(size: tuple[int, int]) -> None:
    assert colours_beneath(Image.new("RGB", size, GREY), np.ones((4, 4), np.uint8)) == {1: GREY}
