"""Photos as a saved model's image processor prepares them, however it is given them."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.pillow import to_tensor
from ts.handler_utils.models.huggingface.photos import FolderTransform


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 80).convert("RGB")


@pytest.mark.parametrize("name", ["vit", "convnext", "segformer", "detr", "yolos", "rt_detr"])
def test_a_photo_becomes_what_the_processor_makes_of_it(saved_model, name):
    from transformers import AutoImageProcessor

    transform = FolderTransform(saved_model(name), ImageLimits())
    processor = AutoImageProcessor.from_pretrained(saved_model(name))
    for size in ((640, 480), (33, 47), (20, 10), (5, 7)):
        photo = noise(*size)
        expected = processor(images=[photo], return_tensors="pt")["pixel_values"][0]
        assert torch.equal(transform(to_tensor(photo)), expected)


def test_a_long_photo_that_would_be_scaled_to_many_pixels_is_refused(saved_model, tmp_path):
    limits = ImageLimits(max_pixels=64 * 64 * 3)
    transform = FolderTransform(saved_model("convnext"), limits)  # the shorter side to 64
    assert transform(to_tensor(noise(20, 10))).shape == (3, 64, 64)
    with pytest.raises(InvalidInput):
        transform(to_tensor(noise(50, 10)))


def test_a_processor_that_pads_to_one_size_is_refused(saved_model, tmp_path):
    import json
    import shutil

    folder = shutil.copytree(saved_model("detr"), tmp_path / "detr")
    path = folder / "preprocessor_config.json"
    config = {**json.loads(path.read_text()), "pad_size": {"height": 128, "width": 128}}
    path.write_text(json.dumps(config))
    with pytest.raises(ValueError, match="pads photos to one size"):
        FolderTransform(folder, ImageLimits())
