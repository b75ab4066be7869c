"""Logits as large as the model's input, and coarser ones, as class maps of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from ts.handler_utils.errors import ModelFault
from ts.handler_utils.segmentation.pixel_scores import PixelScores

QUARTER = torch.randn(2, 5, 16, 12, generator=torch.Generator().manual_seed(0)) * 4
INPUT = (64, 48)


def upsampled(logits: torch.Tensor, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities and classes as transformers has them: logits interpolated first."""
    large = functional.interpolate(logits, size, mode="bilinear", align_corners=False)
    best, classes = large.softmax(dim=1).max(dim=1)
    return best, classes


@pytest.mark.parametrize("size", [INPUT, (100, 33), (8, 8), (701, 640)])
def test_coarse_logits_are_interpolated_before_the_softmax(size: tuple[int, int]) -> None:
    scores = PixelScores(QUARTER, INPUT)
    best, classes = upsampled(QUARTER, size)
    for index in range(2):
        found = scores.at(index, size)
        assert np.mean(found.classes == classes[index].numpy()) > 0.9999  # ties are rounded either way
        assert np.abs(found.probabilities - best[index].numpy()).max() < 1e-5


def test_the_map_of_the_input_is_as_large_as_it() -> None:
    scores = PixelScores(QUARTER, INPUT)
    assert scores.size == INPUT
    found = scores.of_input(1)
    assert np.array_equal(found.classes, upsampled(QUARTER, INPUT)[1][1].numpy())


@pytest.mark.parametrize("input_size", [None, (16, 12), (8, 6)])
def test_logits_that_are_as_large_as_the_input_keep_their_pixels(input_size: tuple[int, int] | None) -> None:
    scores = PixelScores(QUARTER, input_size)
    assert scores.size == (16, 12)
    best, classes = QUARTER.softmax(dim=1).max(dim=1)
    assert np.array_equal(scores.of_input(0).classes, classes[0].numpy())
    assert np.allclose(scores.of_input(0).probabilities, best[0].numpy())


def test_a_single_coarse_channel_is_told_from_the_background_by_the_sigmoid() -> None:
    logits = QUARTER[:, :1]
    found = PixelScores(logits, INPUT).of_input(0)
    large = functional.interpolate(logits, INPUT, mode="bilinear", align_corners=False)[0, 0]
    assert np.array_equal(found.classes, (large > 0).numpy())
    assert np.allclose(
        found.probabilities, torch.maximum(large.sigmoid(), 1 - large.sigmoid()).numpy(), atol=1e-6
    )


def test_a_coarse_class_that_is_ruled_out_is_never_the_best() -> None:
    logits = QUARTER.clone()
    logits[:, 2] = -torch.inf
    found = PixelScores(logits, INPUT).of_input(0)
    rest = PixelScores(logits[:, [0, 1, 3, 4]], INPUT).of_input(0)
    assert 2 not in found.classes
    assert np.allclose(found.probabilities, rest.probabilities)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("input_size", [INPUT, None])
def test_a_pixel_that_is_no_number_is_the_fault_of_its_row(
    value: float, input_size: tuple[int, int] | None
) -> None:
    logits = QUARTER.clone()
    logits[1, 3, 7, 7] = value
    scores = PixelScores(logits, input_size)
    scores.of_input(0)
    for read in (lambda: scores.of_input(1), lambda: scores.at(1, (2, 2))):
        with pytest.raises(ModelFault, match="not finite"):
            read()
