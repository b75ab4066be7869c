"""How explanations of images are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ts.handler_utils.explaining.images import draw_heatmap, draw_map

IMAGE = torch.linspace(-1, 1, 300).expand(3, 200, 300)


def pixels(image: torch.Tensor, values: torch.Tensor, draw=draw_map) -> np.ndarray:
    return np.asarray(draw(image, values))


def colourful(picture: np.ndarray) -> np.ndarray:
    """How far each pixel is from grey."""
    return picture.max(axis=2).astype(int) - picture.min(axis=2)


def test_a_map_colours_the_input_where_it_is_large() -> None:
    values = torch.zeros(200, 300)
    values[50:100, 150:250] = 7.0
    picture = pixels(IMAGE, values)
    assert picture.shape[:2] == (433, 600)  # twice the input, and the scale
    assert colourful(picture[:400, :290]).max() == 0
    assert colourful(picture[120:180, 320:480]).min() > 50
    assert picture[10, 0, 0] == 0
    assert picture[10, 599, 0] == 255


def test_a_few_extreme_values_do_not_hide_the_others() -> None:
    values = torch.zeros(200, 300)
    values[:, 150:] = 1.0
    values[100, 100] = 1e6
    assert colourful(pixels(IMAGE, values)[:400, 320:]).min() > 50


def test_attributions_count_whichever_their_sign() -> None:
    attributions = torch.zeros(3, 200, 300)
    attributions[0, :, 150:] = 1.0
    negative = torch.zeros(3, 200, 300)
    negative[2, :, 150:] = -1.0
    picture = pixels(IMAGE, attributions, draw_heatmap)
    assert (picture == pixels(IMAGE, negative, draw_heatmap)).all()
    assert colourful(picture[:400, :270]).max() < 3
    assert colourful(picture[:400, 330:]).min() > 50


def test_attributions_of_single_pixels_are_drawn_as_means_of_squares() -> None:
    noise = torch.randn(3, 200, 300, generator=torch.Generator().manual_seed(0))
    noise[:, 80:120, 100:200] *= 4
    colours = colourful(pixels(torch.zeros(3, 200, 300), noise, draw_heatmap))[:400]
    neighbours = np.abs(np.diff(colours, axis=1)).mean()
    assert neighbours < 2
    assert colours[170:230, 220:380].mean() > 2 * colours[:100].mean()


@pytest.mark.parametrize(
    ("size", "times"),
    [((1, 1), 4), ((4, 5), 4), ((224, 224), 3), ((50, 320), 2), ((300, 400), 1), ((600, 900), 1)],
)
def test_small_inputs_are_enlarged(size: tuple[int, int], times: int) -> None:
    picture = pixels(torch.rand(3, *size), torch.rand(size))
    assert picture.shape[1] == times * size[1]
    assert picture.shape[0] >= times * size[0]


@pytest.mark.parametrize("draw", [draw_map, draw_heatmap])
def test_nothing_matters_on_a_plain_image(draw) -> None:
    values = torch.zeros(3, 20, 30) if draw is draw_heatmap else torch.zeros(20, 30)
    picture = pixels(torch.ones(3, 20, 30), values, draw)
    assert (picture[:80] == 0).all()


def test_a_map_of_another_size_is_brought_to_that_of_the_input() -> None:
    assert pixels(IMAGE, torch.eye(7)).shape[1] == 600


def test_grey_images_and_half_precision() -> None:
    picture = pixels(torch.rand(1, 20, 30).half(), torch.rand(1, 20, 30).half(), draw_heatmap)
    assert picture.shape[:2] == (104, 120)  # with the scale
