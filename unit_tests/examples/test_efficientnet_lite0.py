"""The network of the image_classifier example gives the answers that its weights are known for."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.models import EfficientNet_B0_Weights
from torchvision.transforms import v2

from examples.assets import CHELSEA, COFFEE, EFFICIENTNET_LITE0, Asset
from examples.image_classifier import model as model_file
from examples.image_classifier.model import EfficientNetLite0
from ts.utils.util import list_classes_from_module

LABELS = EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]
TO_BATCH = v2.Compose(
    [
        v2.Resize(256),
        v2.CenterCrop(224),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)
FetchOrSkip = Callable[[Asset], Path]


@pytest.fixture(scope="module")
def network(fetch_or_skip: FetchOrSkip) -> EfficientNetLite0:
    network = EfficientNetLite0()
    network.load_state_dict(torch.load(fetch_or_skip(EFFICIENTNET_LITE0), weights_only=True))
    return network.eval()


def read_batch(photo: Path) -> Tensor:
    with Image.open(photo) as image:
        return TO_BATCH(image.convert("RGB"))[None]


@torch.inference_mode()
def top_three(network: EfficientNetLite0, photo: Path) -> dict[str, float]:
    probabilities, classes = network(read_batch(photo))[0].softmax(dim=0).topk(3)
    return {LABELS[index]: value for index, value in zip(classes.tolist(), probabilities.tolist())}


def assert_ranked(found: dict[str, float], expected: dict[str, float]) -> None:
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=2e-3)


def test_a_cat(network: EfficientNetLite0, fetch_or_skip: FetchOrSkip) -> None:
    expected = {"Egyptian cat": 0.355, "tabby": 0.282, "tiger cat": 0.224}
    assert_ranked(top_three(network, fetch_or_skip(CHELSEA)), expected)


def test_a_cup_of_coffee(network: EfficientNetLite0, fetch_or_skip: FetchOrSkip) -> None:
    expected = {"espresso": 0.843, "cup": 0.079, "coffee mug": 0.026}
    assert_ranked(top_three(network, fetch_or_skip(COFFEE)), expected)


def test_the_logits_do_not_depend_on_the_rest_of_the_batch(network: EfficientNetLite0) -> None:
    images = torch.rand(3, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(network(images)[1:2], network(images[1:2]), atol=1e-4)


def test_another_number_of_classes_has_as_many_logits() -> None:
    assert EfficientNetLite0(num_classes=7).eval()(torch.zeros(2, 3, 64, 96)).shape == (2, 7)


def test_the_model_file_defines_one_class_as_torchserve_asks() -> None:
    assert list_classes_from_module(model_file) == [EfficientNetLite0]
