"""Transforms without their crop."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import v2

from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.images.whole_photo import without_crop

TO_FLOAT = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])


@pytest.fixture
def wide() -> Image.Image:
    """90x30: a red, a green and a blue square; a centre crop sees the green one only."""
    photo = Image.new("RGB", (90, 30))
    for index, colour in enumerate(["#f00", "#0f0", "#00f"]):
        photo.paste(colour, (30 * index, 0, 30 * index + 30, 30))
    return photo


@pytest.mark.parametrize(
    "transform",
    [
        ImageTransform(resize=24, crop=24),
        ImageTransform(resize=[24, 72], crop=[24, 24]),
        transforms.Compose([transforms.Resize(24), transforms.CenterCrop(24), transforms.ToTensor()]),
        transforms.Compose([transforms.CenterCrop(24), transforms.ToTensor()]),
        v2.Compose([v2.Resize(24), v2.CenterCrop(24), TO_FLOAT]),
    ],
    ids=["ImageTransform", "ImageTransform of two sides", "Compose", "Compose without Resize", "v2.Compose"],
)
def test_the_whole_photo_is_seen_at_the_size_of_the_crop(transform, wide):
    seen = without_crop(transform)(wide)
    assert seen.shape == transform(wide).shape == (3, 24, 24)
    left, middle, right = seen[:, 12, 3], seen[:, 12, 12], seen[:, 12, 20]
    assert torch.stack([left, middle, right]) == pytest.approx(torch.eye(3), abs=1e-6)


@pytest.mark.parametrize(
    "transform",
    [
        ImageTransform(resize=[24, 24]),
        transforms.Compose([transforms.ToTensor()]),
        transforms.ToTensor(),
        abs,
    ],
    ids=["ImageTransform", "Compose", "ToTensor", "a function"],
)
def test_a_transform_without_a_crop_stays_as_it_is(transform):
    assert without_crop(transform) is transform
