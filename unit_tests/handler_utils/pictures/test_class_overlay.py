from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.pictures import class_overlay
from ts.handler_utils.pictures.class_overlay import draw_classes
from ts.handler_utils.pictures.palette import class_colour

GREY = (100, 100, 100)


def classes() -> np.ndarray:
    """Class 1 on a quarter of the photo, class 2 on an eighth, else the background."""
    found = np.zeros((240, 320), dtype=np.uint8)
    found[120:, :160], found[180:, 160:] = 1, 2
    return found


def swatches(drawn: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """Where the swatch of a colour is in the upper half, in which nothing else is drawn."""
    return np.argwhere((np.asarray(drawn)[:110] == colour).all(axis=2))


@pytest.fixture
def legends(monkeypatch: pytest.MonkeyPatch) -> list:
    found: list = []
    draw_legend = class_overlay.draw_legend
    monkeypatch.setattr(
        class_overlay,
        "draw_legend",
        lambda *of: found.append([tuple(entry) for entry in of[1]]) or draw_legend(*of),
    )
    return found


def test_classes_are_named_with_their_shares_the_largest_first(legends: list) -> None:
    labels = {1: "cat", 2: "dog"}
    drawn = draw_classes(Image.new("RGB", (320, 240), GREY), classes(), lambda index: labels[index])
    assert legends == [[("cat", "25%"), ("dog", "12%")]]
    first, second = swatches(drawn, class_colour(1)), swatches(drawn, class_colour(2))
    assert first.max(axis=0)[0] < second.min(axis=0)[0]
    assert drawn.getpixel((80, 220)) == pytest.approx(
        [0.62 * 100 + 0.38 * value for value in class_colour(1)], abs=1
    )


def test_without_a_background_all_is_drawn_and_named(legends: list) -> None:
    drawn = draw_classes(Image.new("RGB", (320, 240), GREY), classes(), background=None)
    assert legends == [[("0", "62%"), ("1", "25%"), ("2", "12%")]]
    assert (np.asarray(drawn) != 100).any(axis=2).all()


def test_a_class_whose_colour_the_photo_has_is_drawn_in_another() -> None:
    blue = class_colour(1)
    drawn = draw_classes(Image.new("RGB", (320, 240), blue), classes())
    assert swatches(drawn, class_colour(2)).size
    assert drawn.getpixel((80, 220)) != blue


def test_the_legend_is_where_the_background_is() -> None:
    drawn = np.asarray(draw_classes(Image.new("RGB", (320, 240), GREY), classes()[::-1]))
    swatch = np.argwhere((drawn[130:] == class_colour(1)).all(axis=2))
    assert swatch.size


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16", "LA"])
def test_photos_of_any_mode(mode: str) -> None:
    photo = Image.new("L", (320, 240), 100).convert(mode)
    before = photo.tobytes()
    drawn = draw_classes(photo, classes())
    assert (drawn.mode, drawn.size) == ("RGB", (320, 240))
    assert photo.tobytes() == before


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (2000, 3), (5, 5)])
def test_tiny_and_thin_photos(size: tuple[int, int]) -> None:
    photo = Image.new("RGB", size, GREY)
    assert draw_classes(photo, np.ones(size[::-1], np.uint8)).size == size
    assert draw_classes(photo, np.zeros((7, 7), np.uint8)) == photo


def test_more_classes_than_colours() -> None:
    found = (np.arange(320 * 240).reshape(240, 320) // 256).astype(np.int32)
    assert draw_classes(Image.new("RGB", (320, 240), GREY), found).size == (320, 240)
