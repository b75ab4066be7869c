from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from ts.handler_utils.pictures.palette import (
    CLASS_COLOURS,
    Colour,
    class_colour,
    class_colours,
    oklab,
    text_colour,
    voc_palette,
)

# Of linear RGB: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency" (2009), of full severity.
BLINDNESS = {
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
}


def seen(colour: Sequence[float], matrix: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """A colour as the colour-blind see it, in OKLab."""
    values = np.asarray(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    left = np.clip(np.asarray(matrix) @ linear, 0, 1)
    back = np.where(left <= 0.0031308, left * 12.92, 1.055 * left ** (1 / 2.4) - 0.055)
    return oklab(255 * back)


def least_distance(colours: Sequence[Colour], matrix: Sequence[Sequence[float]]) -> float:
    places = [np.asarray(seen(colour, matrix)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(places, 2))


@pytest.mark.parametrize("kind", ["common", *BLINDNESS])
def test_the_colour_blind_tell_the_colours_of_classes_apart(kind: str) -> None:
    matrix = BLINDNESS.get(kind, np.eye(3).tolist())
    assert least_distance(CLASS_COLOURS[:6], matrix) > 0.1
    assert least_distance(CLASS_COLOURS[:18], matrix) > 0.075
    assert least_distance(CLASS_COLOURS, matrix) > 0.06


def test_the_first_colours_are_those_of_okabe_and_ito() -> None:
    published = ["E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7"]
    assert ["".join(f"{value:02X}" for value in colour) for colour in CLASS_COLOURS[:7]] == published


def test_no_colour_is_dark_so_that_dark_lines_set_it_off() -> None:
    assert min(oklab(colour)[0] for colour in CLASS_COLOURS) > 0.48


def test_a_class_has_the_same_colour_in_every_picture() -> None:
    assert class_colours([3]) == class_colours([3, 5])[:1] == [class_colour(3)]
    assert class_colours([5, 3, 5]) == [class_colour(5), class_colour(3), class_colour(5)]


def test_two_classes_of_a_picture_share_a_colour_only_where_there_are_more_classes_than_colours() -> None:
    count = len(CLASS_COLOURS)
    assert class_colours([1, 1 + count]) == [class_colour(1), class_colour(2)]
    assert len(set(class_colours(range(0, 3 * count, 3)))) == count
    assert len(set(class_colours(range(100)))) == count


def test_a_class_whose_colour_the_photo_has_gets_another() -> None:
    orange = class_colour(0)
    assert class_colours([0, 1], [orange, None]) == [class_colour(1), class_colour(2)]
    assert class_colours([0], [(225, 150, 20)]) != [orange]
    assert class_colours([0], [(40, 60, 160)]) == [orange]


def test_where_the_photo_has_all_free_colours_the_farthest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ts.handler_utils.pictures.palette.CLASS_COLOURS", ((250, 0, 0), (200, 60, 60)))
    assert class_colours([0], [(250, 10, 10)]) == [(200, 60, 60)]


def test_oklab_has_white_and_black_at_its_ends() -> None:
    assert oklab((255, 255, 255)) == pytest.approx((1, 0, 0), abs=1e-4)
    assert oklab((0, 0, 0)) == pytest.approx((0, 0, 0))
    assert oklab((255, 0, 0)) == pytest.approx((0.6280, 0.2249, 0.1258), abs=1e-3)  # Ottosson's own


def test_the_first_colours_of_pascal_voc() -> None:
    # background, aeroplane, bicycle, bird, boat; person is 15
    assert voc_palette(5) == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)]
    assert voc_palette()[15] == (192, 128, 128)
    assert voc_palette()[255] == (224, 224, 192)  # "void", the border of objects in VOC's masks


def test_the_colours_of_pascal_voc_are_256_different_ones() -> None:
    assert len(set(voc_palette())) == 256


def test_text_is_black_on_light_colours_and_white_on_dark_ones() -> None:
    assert text_colour((255, 255, 0)) == (0, 0, 0)
    assert text_colour((0, 0, 255)) == (255, 255, 255)


@pytest.mark.parametrize("colour", CLASS_COLOURS)
def test_text_on_each_colour_has_a_contrast_that_can_be_read(colour: Colour) -> None:
    def luminance(of: Colour) -> float:  # WCAG 2
        values = np.asarray(of) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(colour), luminance(text_colour(colour))))
    assert (high + 0.05) / (low + 0.05) > 3  # what WCAG asks of large text
