"""The image segmenter with networks whose logits have fewer pixels than their input, as SegFormer's."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from segmenters import decoded
from torch.nn import functional

from ts.torch_handler.image_segmenter import ImageSegmenter

QUARTER = """
from types import SimpleNamespace

import torch


class Segmenter(torch.nn.Module):
    def forward(self, images):
        logits = torch.nn.functional.avg_pool2d(images, 4) * 20
        return WRAPPED
"""


def noise(width: int, height: int) -> tuple[bytes, torch.Tensor]:
    values = torch.rand(height // 8, width // 8, 3, generator=torch.Generator().manual_seed(0)) * 255
    photo = Image.fromarray(values.to(torch.uint8).numpy()).resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue(), torch.from_numpy(np.asarray(photo).copy()).permute(2, 0, 1) / 255


@pytest.fixture(params=["logits", "{'logits': logits}", "SimpleNamespace(logits=logits)"])
def ask(request, tmp_path, make_context):
    def answer(rows: list[Any], **settings: Any) -> Any:
        (tmp_path / "model.py").write_text(QUARTER.replace("WRAPPED", request.param))
        settings = {"mean": [0.0], "std": [1.0], "crop": None, "resize": [64, 96], **settings}
        context = make_context(tmp_path, config={"handler": settings}, modelFile="model.py")
        handler = ImageSegmenter()
        handler.initialize(context)
        found = handler.handle(rows, context)
        assert not context.statuses
        return found

    return answer


def logits_of(image: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(image[None], 4) * 20


def at(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Probabilities as transformers' post-processing has them."""
    return functional.interpolate(logits, size, mode="bilinear", align_corners=False).softmax(dim=1)[0]


def test_the_mask_of_the_model_is_as_large_as_its_input(ask):
    data, image = noise(96, 64)
    (found,) = ask([{"data": data}])
    answer = torch.tensor(json.loads(found))
    probabilities, classes = at(logits_of(image), (64, 96)).max(dim=0)
    assert answer.shape == (64, 96, 2)
    assert torch.equal(answer[..., 0].long(), classes)
    torch.testing.assert_close(answer[..., 1], probabilities, atol=1e-5, rtol=0)


def test_the_mask_of_the_photo_is_made_of_logits_brought_to_its_size(ask):
    data, image = noise(192, 128)
    (found,) = ask([{"data": data, "size": "original", "format": "png"}], resize=[128, 192])
    classes = at(logits_of(image), (128, 192)).argmax(dim=0)
    assert np.array_equal(np.asarray(decoded(found)), classes.numpy())


def test_photos_of_several_sizes_get_masks_of_their_own(ask):
    photos = [noise(96, 64)[0], noise(40, 80)[0], noise(8, 8)[0]]
    found = ask([{"data": photo, "size": "original", "format": "png"} for photo in photos])
    assert [decoded(mask).size for mask in found] == [(96, 64), (40, 80), (8, 8)]
