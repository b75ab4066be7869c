from __future__ import annotations

import math
from typing import Any

import numpy as np
import PIL
import pytest
from PIL import Image, ImageFont

from ts.handler_utils.pictures import drawing
from ts.handler_utils.pictures.drawing import (
    draw_boxes,
    draw_keypoints,
    draw_keypoints_of,
    draw_legend,
    draw_mask,
    line_width,
)
from ts.handler_utils.pictures.palette import vivid_colour

SCALABLE = tuple(map(int, PIL.__version__.split(".")[:2])) >= (10, 1)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def grey(width: int = 200, height: int = 150) -> Image.Image:
    return Image.new("RGB", (width, height), (100, 100, 100))


def changed(image: Image.Image) -> tuple[int, int, int, int]:
    """The first and last columns and rows that differ from the grey photo: (x1, y1, x2, y2)."""
    rows, columns = np.nonzero((np.asarray(image) != 100).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


# Boxes -------------------------------------------------------------------------------------------------------


def test_a_box_is_drawn_where_it_is() -> None:
    drawn = draw_boxes(grey(), [(40, 60, 160, 120)], ["cat"], [RED])
    assert drawn.getpixel((40, 90)) == drawn.getpixel((160, 90)) == drawn.getpixel((100, 120)) == RED
    assert drawn.getpixel((100, 90)) == (100, 100, 100)


def test_the_photo_itself_is_left_as_it_was() -> None:
    photo = grey()
    draw_boxes(photo, [(40, 60, 160, 120)], ["cat"], [RED])
    draw_mask(photo, np.ones((150, 200), dtype=int), [RED, RED])
    assert photo.tobytes() == grey().tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1"])
def test_photos_of_any_mode(mode: str) -> None:
    drawn = draw_boxes(grey().convert(mode), [(40, 60, 160, 120)], ["cat"], [RED])
    assert (drawn.mode, drawn.getpixel((40, 90))) == ("RGB", RED)


def test_the_caption_stands_above_its_box() -> None:
    assert changed(draw_boxes(grey(), [(40, 60, 160, 120)], ["cat"], [RED]))[1] < 50


@pytest.mark.parametrize(
    "box", [(0, 0, 60, 60), (190, 140, 260, 300), (-50, -50, -10, -10), (199, 0, 199, 149)]
)
def test_a_caption_stays_on_the_photo_wherever_its_box_is(box: tuple[int, int, int, int]) -> None:
    x1, y1, x2, y2 = changed(draw_boxes(grey(), [box], ["wine glass 0.97"], [RED]))
    assert x2 - x1 >= 60
    assert y2 - y1 >= 10


def test_where_boxes_overlap_the_first_lies_on_top() -> None:
    box = (40, 60, 160, 120)
    assert draw_boxes(grey(), [box, box], ["cat", "dog"], [RED, BLUE]).getpixel((40, 90)) == RED


def test_corners_in_the_wrong_order_are_no_error() -> None:
    swapped = draw_boxes(grey(), [(160, 120, 40, 60)], ["cat"], [RED])
    assert swapped.tobytes() == draw_boxes(grey(), [(40, 60, 160, 120)], ["cat"], [RED]).tobytes()


def test_no_boxes_leave_the_photo_as_it_is() -> None:
    assert draw_boxes(grey(), [], [], []).tobytes() == grey().tobytes()


def test_lines_grow_with_the_photo() -> None:
    widths = [line_width(grey(*size)) for size in [(64, 64), (640, 480), (4000, 3000)]]
    assert widths == [1, 2, 14]


@pytest.mark.skipif(not SCALABLE, reason="Pillow's own font is scalable from 10.1 on")
def test_captions_grow_with_the_photo() -> None:
    small, medium, large = (
        changed(draw_legend(grey(*size), ["cat"], [RED]))[3] for size in [(64, 64), (640, 480), (4000, 3000)]
    )
    assert small >= 10
    assert large > 4 * medium


def test_a_photo_smaller_than_its_caption() -> None:
    assert draw_boxes(grey(8, 6), [(1, 1, 7, 5)], ["wine glass 0.97"], [RED]).size == (8, 6)


def test_labels_of_any_alphabet_are_drawn_by_pillows_bitmap_font_too(monkeypatch: pytest.MonkeyPatch) -> None:
    scalable = ImageFont.load_default

    def only_a_bitmap(*size: float) -> Any:
        if size:
            raise TypeError("load_default() takes 0 positional arguments")  # Pillow before 10.1
        return getattr(ImageFont, "load_default_imagefont", scalable)()

    monkeypatch.setattr(ImageFont, "load_default", only_a_bitmap)
    drawn = draw_boxes(grey(), [(40, 60, 160, 120)], ["кошка 猫 |"], [RED])
    assert changed(drawn)[1] < 55


@pytest.mark.parametrize("side", [-1e9, -1e30, 1e9, 1e30])
def test_what_lies_far_beyond_the_photo_is_drawn_as_what_lies_just_beyond_it(side: float) -> None:
    near = math.copysign(400, side)
    for far_box, near_box in [
        ((side, 60, 90, 120), (near, 60, 90, 120)),
        ((20, side, 90, 120), (20, near, 90, 120)),
        ((side, side, -side, -side), (near, near, -near, -near)),
    ]:
        drawn = draw_boxes(grey(), [far_box], [""], [RED])
        assert drawn.tobytes() == draw_boxes(grey(), [near_box], [""], [RED]).tobytes()
    points = [(side, 60, 1), (50, side, 1), (50, 60, 1)]
    dots = draw_keypoints(grey(), points, RED)
    assert dots.tobytes() == draw_keypoints(grey(), points[2:], RED).tobytes()


def test_a_dot_at_the_edge_keeps_its_shape() -> None:
    inside = draw_keypoints(grey(1000, 800), [(500, 400, 1)], RED)
    edge = draw_keypoints(grey(1000, 800), [(0, 400, 1)], RED)
    assert edge.crop((0, 380, 20, 420)).tobytes() == inside.crop((500, 380, 520, 420)).tobytes()


@pytest.mark.skipif(not SCALABLE, reason="Pillow's own font is scalable from 10.1 on")
@pytest.mark.parametrize("size", [(1, 1_000_000), (1_000_000, 1), (100_000, 100)])
def test_letters_and_lines_do_not_grow_with_the_length_of_a_thin_photo(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    scalable = ImageFont.load_default
    monkeypatch.setattr(ImageFont, "load_default", lambda *of: asked.extend(of) or scalable(*of))
    drawn = draw_boxes(grey(*size), [(0, 0, 50, 50)], ["wine glass 0.97"], [RED])
    assert drawn.size == size
    assert asked == [10]
    assert line_width(grey(*size)) == 1


@pytest.mark.skipif(not SCALABLE, reason="Pillow's own font is scalable from 10.1 on")
def test_letters_have_a_largest_size_and_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    scalable = ImageFont.load_default
    monkeypatch.setattr(ImageFont, "load_default", lambda *of: asked.extend(of) or scalable(*of))
    draw_boxes(grey(8000, 6000), [(0, 0, 50, 50)] * 5, ["a"] * 5, [RED] * 5)
    assert asked == [128]


# Masks -------------------------------------------------------------------------------------------------------


def test_a_mask_is_drawn_in_parts_as_it_would_be_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    photo = Image.fromarray(generator.integers(0, 256, (150, 200, 3), dtype=np.uint8))
    mask = generator.integers(0, 30, (150, 200), dtype=np.uint8)
    colours = [vivid_colour(index) for index in range(256)]
    tinted = Image.blend(photo, Image.fromarray(np.asarray(colours, dtype=np.uint8)[mask]), 0.5)
    expected = photo.copy()
    expected.paste(tinted, mask=Image.fromarray(mask != 0))
    for part in (1, 1000, 10**6):
        monkeypatch.setattr(drawing, "_PART", part)
        for found in (mask, mask.astype(np.int64)):
            assert draw_mask(photo, found, colours).tobytes() == expected.tobytes()


def test_pixels_are_tinted_by_their_class_and_the_background_is_not() -> None:
    mask = np.zeros((150, 200), dtype=np.uint8)
    mask[:, 100:] = 1
    drawn = draw_mask(grey(), mask, [BLUE, RED], opacity=0.5)
    assert drawn.getpixel((99, 75)) == (100, 100, 100)
    assert drawn.getpixel((100, 75)) == (177, 50, 50)


@pytest.mark.parametrize(("opacity", "colour"), [(0.0, (100, 100, 100)), (1.0, RED)])
def test_opacity(opacity: float, colour: tuple[int, int, int]) -> None:
    drawn = draw_mask(grey(), np.ones((150, 200), dtype=int), [BLUE, RED], opacity=opacity)
    assert drawn.getpixel((5, 5)) == colour


def test_without_a_background_every_pixel_is_tinted() -> None:
    drawn = draw_mask(grey(), np.zeros((150, 200), dtype=int), [RED], opacity=1, background=None)
    assert drawn.getpixel((5, 5)) == RED


def test_a_mask_of_another_size_is_scaled_to_the_photo_without_blending_classes() -> None:
    drawn = draw_mask(grey(), [[0, 1], [2, 0]], [(0, 0, 0), RED, BLUE], opacity=1)
    assert drawn.getpixel((99, 74)) == (100, 100, 100)
    assert drawn.getpixel((100, 74)) == RED
    assert drawn.getpixel((99, 75)) == BLUE


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_classes_beyond_the_palette_repeat_it(dtype: type) -> None:
    mask = np.full((150, 200), 3, dtype=dtype)
    assert draw_mask(grey(), mask, [BLUE, RED], opacity=1).getpixel((5, 5)) == RED


def test_the_legend_names_the_classes_that_are_there_the_largest_first() -> None:
    mask = np.zeros((150, 200), dtype=np.uint8)
    mask[100:, :50], mask[100:, 50:] = 1, 2
    labels = {0: "background", 1: "cat", 2: "dog", 3: "sheep"}
    drawn = draw_mask(grey(), mask, [(0, 0, 0), RED, BLUE, (0, 255, 0)], labels=labels)
    corner = {drawn.getpixel((1, y)) for y in range(90)}
    assert RED in corner
    assert BLUE in corner
    assert (0, 255, 0) not in corner
    assert drawn.getpixel((1, 1)) == BLUE


def test_a_mask_of_three_dimensions_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"two dimensions, not the shape \(1, 150, 200\)"):
        draw_mask(grey(), np.zeros((1, 150, 200), dtype=int), [RED])


# Keypoints ---------------------------------------------------------------------------------------------------


def test_the_keypoints_of_many_objects_are_drawn_on_one_copy_of_the_photo() -> None:
    photo = grey()
    objects = [[(20, 30, 1), (60, 30, 1)], [(100, 90, 1), (140, 90, 0)]]
    one_by_one = draw_keypoints(draw_keypoints(photo, objects[0]), objects[1])
    assert draw_keypoints_of(objects, photo).tobytes() == one_by_one.tobytes()
    assert photo.tobytes() == grey().tobytes()


def test_visible_keypoints_are_dots_and_others_are_not_drawn() -> None:
    drawn = draw_keypoints(grey(), [(50, 60, 1), (150, 60, 0)], RED)
    assert drawn.getpixel((50, 60)) == RED
    assert drawn.getpixel((150, 60)) == (100, 100, 100)
