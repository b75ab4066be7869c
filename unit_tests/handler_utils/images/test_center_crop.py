"""Centre crops are torchvision's."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms import functional as F

from ts.handler_utils.images.center_crop import center_crop


@pytest.mark.parametrize("size", [(3, 3), (4, 7), (5, 5), (8, 9), (9, 8), (1, 12), (12, 1), (13, 14)])
@pytest.mark.parametrize("crop", [(1, 1), (4, 4), (5, 8), (7, 6), (12, 12)])
def test_it_cuts_and_pads_as_torchvision_does(size, crop):
    values = torch.randint(1, 256, (3, *size), dtype=torch.uint8)
    assert torch.equal(center_crop(values, *crop), F.center_crop(values, list(crop)))
