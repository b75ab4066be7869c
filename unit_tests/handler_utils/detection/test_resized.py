from __future__ import annotations

from typing import Any

import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from ts.handler_utils.detection.resized import resized_size, undo_resize


@pytest.mark.parametrize("size", [(640, 491), (491, 640), (100, 100), (7, 3)])
@pytest.mark.parametrize("resize", [50, 333, [30, 40]])
def test_the_size_is_that_which_torchvision_resizes_to(resize: Any, size: tuple[int, int]) -> None:
    assert resized_size(resize, size) == functional.resize(Image.new("L", size), resize).size


def test_boxes_and_keypoints_are_moved_to_the_photos_pixels() -> None:
    found = {
        "boxes": torch.tensor([[10.0, 20.0, 30.0, 40.0]]),
        "keypoints": torch.tensor([[[5.0, 6.0, 1.0]]]),
        "scores": torch.tensor([0.5]),
        "labels": torch.tensor([1]),
    }
    moved = undo_resize(found, [100, 50], (200, 300))
    assert moved["boxes"].tolist() == [[40, 60, 120, 120]]
    assert moved["keypoints"].tolist() == [[[20, 18, 1]]]
    assert moved["scores"] is found["scores"]


def test_masks_get_the_size_of_the_photo() -> None:
    masks = torch.zeros(1, 1, 4, 4)
    masks[..., 2:] = 1
    found = {"boxes": torch.zeros(1, 4), "masks": masks}
    assert (undo_resize(found, 4, (8, 8))["masks"][0, 0, 0] >= 0.5).tolist() == [False] * 4 + [True] * 4
