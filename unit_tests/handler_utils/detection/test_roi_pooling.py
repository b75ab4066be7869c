"""RoIAlign as bags of embeddings, beside torchvision's own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign, roi_align

from ts.handler_utils.detection.roi_pooling import align_rois, quicken_roi_pooling

# Within, across an edge, beyond all edges, of no size, thinner than a pixel, upside down.
ODD = [[4, 6, 40, 30], [-20, -9, 30, 20], [-90, -90, 300, 300], [8, 8, 8, 8], [9, 2, 9.3, 60], [30, 30, 5, 5]]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


def boxes(count: int, side: float) -> torch.Tensor:
    corners = torch.rand(count, 2, 2, generator=torch.Generator().manual_seed(3)) * side
    return torch.cat([corners.amin(1), corners.amax(1)], dim=1)


@pytest.mark.parametrize("scale", [1, 0.25])
@pytest.mark.parametrize(("size", "ratio"), [((7, 7), 2), ((3, 5), 1), ((14, 14), 3)])
def test_the_means_are_torchvisions(size: tuple[int, int], ratio: int, scale: float) -> None:
    features = noise(3, 6, 9, 13)
    of_all = torch.cat([boxes(30, 50), torch.tensor(ODD)])
    images = torch.arange(len(of_all), dtype=torch.int32) % 3
    rois = torch.cat([images[:, None].float(), of_all], dim=1)
    expected = roi_align(features, rois, size, scale, ratio)
    assert expected.abs().max() > 0.5
    found = align_rois([features], of_all * scale, torch.zeros(len(of_all)).long(), images, size, ratio)
    assert found.is_contiguous()
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_feature_map_may_be_one_place() -> None:
    rois = torch.cat([torch.zeros(len(ODD), 1), torch.tensor(ODD)], dim=1)
    expected = roi_align(noise(1, 4, 1, 1), rois, (2, 2), 0.1, 2)
    none = torch.zeros(len(ODD), dtype=torch.int64)
    assert torch.allclose(
        align_rois([noise(1, 4, 1, 1)], torch.tensor(ODD) * 0.1, none, none, (2, 2), 2), expected
    )


Asked = tuple[dict[str, torch.Tensor], list[torch.Tensor], list[tuple[int, int]]]


def asked() -> Asked:
    features = {"0": noise(2, 4, 32, 24), "unused": noise(2, 4, 1, 1), "1": noise(2, 4, 16, 12)}
    return features, [boxes(20, 128) * 3, boxes(0, 128)], [(128, 96), (120, 96)]


def pools(names: list[str], ratio: int = 2) -> tuple[Any, Any]:
    """torchvision's, and one that is quickened."""
    own, ours = (MultiScaleRoIAlign(names, 7, ratio, canonical_scale=60) for _ in range(2))
    quicken_roi_pooling(ours)
    return own, ours


@pytest.mark.parametrize("names", [["0", "1"], ["1"]])
def test_boxes_of_all_levels_get_torchvisions_answers(names: list[str]) -> None:
    own, ours = pools(names)
    with torch.inference_mode():
        for _ in range(2):  # the first call settles which level is whose
            assert torch.allclose(ours(*asked()), own(*asked()), atol=1e-5)
        assert len(names) == 1 or len(own.map_levels(asked()[1]).unique()) == 2
        features, _, sizes = asked()
        nothing = [boxes(0, 1)] * 2
        assert ours(features, nothing, sizes).shape == own(features, nothing, sizes).shape == (0, 4, 7, 7)
        assert ours._compiled_call_impl is not None


def test_settings_are_those_of_each_call() -> None:
    own, ours = pools(["0", "1"])
    with torch.inference_mode():
        ours(*asked())
        own(*asked())
        for pool in (own, ours):
            pool.output_size, pool.sampling_ratio, pool.featmap_names = (3, 3), 1, ["1"]
            pool.scales = pool.scales[1:]
        assert torch.allclose(ours(*asked()), own(*asked()), atol=1e-5)


def test_torchvision_answers_where_samples_are_as_many_as_pixels_and_other_numbers() -> None:
    own, ours = pools(["0", "1"], ratio=0)
    with torch.inference_mode():
        for _ in range(2):
            assert torch.equal(ours(*asked()), own(*asked()))
    own, ours = pools(["0", "1"])
    features, found, sizes = asked()
    double = {name: value.double() for name, value in features.items()}, [b.double() for b in found], sizes
    with torch.inference_mode():
        for _ in range(2):
            assert torch.equal(ours(*double), own(*double))


def test_gradients_flow() -> None:
    features, found, sizes = asked()
    _, ours = pools(["0", "1"])
    for _ in range(2):
        features["1"] = noise(2, 4, 16, 12).requires_grad_()
        ours(features, found, sizes).sum().backward()
        assert features["1"].grad.abs().sum() > 0
