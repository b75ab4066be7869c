from __future__ import annotations

from ts.handler_utils.pictures.palette import text_colour, vivid_colour, voc_palette


def test_the_first_colours_of_pascal_voc() -> None:
    # background, aeroplane, bicycle, bird, boat; person is 15
    assert voc_palette(5) == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128)]
    assert voc_palette()[15] == (192, 128, 128)
    assert voc_palette()[255] == (224, 224, 192)  # "void", the border of objects in VOC's masks


def test_the_colours_of_pascal_voc_are_256_different_ones() -> None:
    assert len(set(voc_palette())) == 256


def test_the_vivid_colours_of_cocos_classes_are_different_and_none_is_dark() -> None:
    colours = [vivid_colour(index) for index in range(91)]
    assert len(set(colours)) == 91
    assert min(max(colour) for colour in colours) > 180


def test_text_is_black_on_light_colours_and_white_on_dark_ones() -> None:
    assert text_colour((255, 255, 0)) == (0, 0, 0)
    assert text_colour((0, 0, 255)) == (255, 255, 255)
