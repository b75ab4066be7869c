from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ts.handler_utils.pictures.heatmap import draw_heat, inferno
from ts.handler_utils.pictures.palette import oklab


def drawn(size: tuple[int, int], grey: int = 100) -> np.ndarray:
    """A grey picture whose left half does not matter, and whose right half matters most."""
    heat = Image.new("L", size, 0)
    heat.paste(255, (size[0] // 2, 0, *size))
    return np.asarray(draw_heat(Image.new("L", size, grey), heat))


def test_what_matters_is_coloured_and_the_rest_stays_grey() -> None:
    picture = drawn((320, 240))
    assert (picture[:240, :160] == 100).all()
    assert picture[120, 200] == pytest.approx([0.2 * 100 + 0.8 * value for value in (252, 255, 164)], abs=1)


@pytest.mark.parametrize(("size", "height"), [((320, 240), 24), ((4000, 3000), 236)])
def test_a_scale_of_all_colours_stands_below_the_picture_between_words(
    size: tuple[int, int], height: int
) -> None:
    picture = drawn(size)
    assert picture.shape == (size[1] + height, size[0], 3)
    bar = picture[size[1] + height // 2]
    coloured = (bar != (24, 24, 24)).any(axis=1).nonzero()[0]
    middle = bar[size[0] // 4 : 5 * size[0] // 6].astype(int)
    assert middle[:20].mean() < middle[-20:].mean()
    strip = picture[size[1] :]
    assert (strip[:, : size[0] // 6].min(axis=2) > 150).any()  # "matters least"
    assert (strip[:, -size[0] // 8 :].min(axis=2) > 150).any()  # "most"
    assert len(coloured) > size[0] // 2


@pytest.mark.parametrize("size", [(1, 1), (5, 4), (3, 2000), (60, 60)])
def test_a_picture_too_narrow_for_the_scale_has_none(size: tuple[int, int]) -> None:
    assert drawn(size).shape == (size[1], size[0], 3)


def test_the_colours_are_those_of_inferno_within_a_fortieth() -> None:
    colormaps = pytest.importorskip("matplotlib", reason="needs matplotlib: pip install matplotlib").colormaps
    published = np.round(255 * np.array(colormaps["inferno"].colors))
    assert np.abs(np.array(inferno()) - published).max() < 6.5
    assert (np.array(inferno())[::17] == published[::17]).all()


def test_brighter_colours_stand_for_more_in_even_steps() -> None:
    lightness = np.array([oklab(colour)[0] for colour in inferno()])[16:]
    steps = np.diff(lightness)
    assert (steps > 0).all()
    assert steps.max() < 3 * steps.mean()
