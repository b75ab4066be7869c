"""Detectors with random weights find a few objects."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision.models import get_model

from benchmarks.detecting.definite import sharpen
from benchmarks.models import take_statistics

SMALL = {"min_size": 128, "max_size": 160}
FAMILY = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": {},
    "retinanet_resnet50_fpn_v2": SMALL,
    "fcos_resnet50_fpn": SMALL,
    "ssdlite320_mobilenet_v3_large": {},
    "ssd300_vgg16": {},
    "keypointrcnn_resnet50_fpn": SMALL,
}
LONG = ("keypointrcnn_resnet50_fpn", "retinanet_resnet50_fpn_v2", "ssd300_vgg16")


def photos(seed: int) -> list[torch.Tensor]:
    """Smooth noise."""
    coarse = torch.rand(2, 3, 9, 12, generator=torch.Generator().manual_seed(seed))
    return [*torch.nn.functional.interpolate(coarse, (96, 128), mode="bicubic").clamp(0, 1)]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in LONG else ()) for name in FAMILY]
)
def test_a_network_is_sure_of_a_few_objects_and_no_more(name: str) -> None:
    torch.manual_seed(0)
    model: Any = get_model(name, weights=None, weights_backbone=None, **FAMILY[name])
    take_statistics(model, photos(0))
    assert not any(part.training for part in model.modules())
    sharpen(model, photos(0))
    with torch.no_grad():
        found = [image["scores"] for image in model(photos(1))]
    sure = sum(int((scores > 0.5).sum()) for scores in found)
    assert 2 <= sure <= 150
    assert torch.cat(found).std() > 0.02
