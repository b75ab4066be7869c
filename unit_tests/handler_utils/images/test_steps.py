"""Transforms of torchvision and timm, read as arguments: the pixels are those that the transform itself makes."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image
from torchvision import transforms as v1
from torchvision.models import ResNet50_Weights, Swin_T_Weights
from torchvision.models.optical_flow import Raft_Large_Weights
from torchvision.models.segmentation import LRASPP_MobileNet_V3_Large_Weights
from torchvision.transforms import v2

from ts.handler_utils.images.steps import UnknownStep, as_callable, transform_arguments
from ts.handler_utils.images.transform import ImageTransform
from ts.runner.exporting.samples import random_images

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


@pytest.fixture(scope="module")
def image():
    return Image.open(io.BytesIO(next(iter(random_images((90, 70), 1))))).convert("RGB")


def make(name):
    """A transform by name, made when it is asked for."""
    return {
        "v1": lambda: v1.Compose([v1.Resize(40), v1.CenterCrop(32), v1.ToTensor(), v1.Normalize(MEAN, STD)]),
        "v1 of two sides": lambda: v1.Compose([v1.Resize((48, 36)), v1.CenterCrop((32, 24)), v1.ToTensor()]),
        "v1 bicubic, in parts": lambda: v1.Compose(
            [
                v1.Compose([v1.Resize(40, v1.InterpolationMode.BICUBIC)]),
                v1.PILToTensor(),
                v1.ConvertImageDtype(torch.float),
                v1.Normalize(MEAN, STD),
            ]
        ),
        "a list": lambda: [v1.Resize(40), v1.ToTensor()],
        "no resize": lambda: v1.ToTensor(),
        "v2": lambda: v2.Compose(
            [
                v2.Resize(40),
                v2.CenterCrop(32),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(MEAN, STD),
            ]
        ),
        "weights": lambda: ResNet50_Weights.IMAGENET1K_V2,
        "weights' transforms": lambda: Swin_T_Weights.DEFAULT.transforms(),
        "weights' transforms, not made": lambda: Swin_T_Weights.DEFAULT.transforms,
        "segmenter's": lambda: LRASPP_MobileNet_V3_Large_Weights.DEFAULT.transforms(),
        "ours": lambda: ImageTransform(resize=40, crop=32, mean=MEAN, std=STD, interpolation="lanczos"),
    }[name]()


@pytest.mark.parametrize(
    "name",
    [
        "v1",
        "v1 of two sides",
        "v1 bicubic, in parts",
        "a list",
        "no resize",
        "v2",
        "weights",
        "weights' transforms",
        "segmenter's",
        "ours",
    ],
)
def test_the_pixels_are_those_of_the_transform_itself(name, image):
    transform = make(name)
    ours = ImageTransform(**transform_arguments(transform))(image)
    torch.testing.assert_close(ours, as_callable(transform)(image), atol=1e-6, rtol=0)


def test_what_is_read_are_settings(image):
    assert transform_arguments(make("v1")) == {
        "resize": 40,
        "crop": 32,
        "interpolation": "bilinear",
        "mean": MEAN,
        "std": STD,
    }
    assert transform_arguments(make("weights' transforms, not made")) == {
        "resize": 232,
        "crop": 224,
        "interpolation": "bicubic",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }


def test_grey_is_one_channel(image):
    transform = v1.Compose([v1.Grayscale(1), v1.ToTensor()])
    arguments = transform_arguments(transform)
    assert arguments["channels"] == 1
    torch.testing.assert_close(ImageTransform(**arguments)(image), transform(image), atol=1.1 / 255, rtol=0)


def test_a_mean_that_is_a_tensor_is_read_in_its_own_digits():
    steps = [v1.ToTensor(), v1.Normalize(torch.tensor([0.485, 0.456, 0.406]), torch.tensor(STD))]
    assert transform_arguments(steps)["mean"] == [0.485, 0.456, 0.406]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([v1.RandomResizedCrop(32), v1.ToTensor()], r"step RandomResizedCrop.* It belongs to training"),
        ([v1.Resize(40), v1.RandomHorizontalFlip(), v1.ToTensor()], r"step RandomHorizontalFlip\(p=0.5\)"),
        ([v1.Lambda(lambda image: image), v1.ToTensor()], "step Lambda.* has no setting that stands for it"),
        ([v1.Pad(4), v1.ToTensor()], "step Pad"),
        ([v1.CenterCrop(32), v1.Resize(40), v1.ToTensor()], "Resize after CenterCrop"),
        ([v1.Resize(40), v1.Resize(32), v1.ToTensor()], "Resize after Resize"),
        ([v1.Resize(40, max_size=60), v1.ToTensor()], "max_size"),
        ([v1.Grayscale(3), v1.ToTensor()], "three channels of grey"),
        ([v1.PILToTensor()], "leaves values of 0 to 255"),
        ([v2.ToImage(), v2.ToDtype(torch.float32)], "scale=True"),
        ([v1.PILToTensor(), v1.Normalize(MEAN, STD)], "normalizes values of 0 to 255"),
        (Raft_Large_Weights.DEFAULT, "step OpticalFlow"),
        (len, "step <built-in function len>"),
    ],
)
def test_a_step_that_no_setting_stands_for_is_named(steps, message):
    with pytest.raises(UnknownStep, match=message):
        transform_arguments(steps)


def test_timms_steps_are_read():
    data = pytest.importorskip("timm.data", reason="needs timm")
    transform = data.create_transform((3, 32, 32), crop_pct=0.9, crop_mode="squash", interpolation="bicubic")
    assert transform_arguments(transform)["resize"] == [35, 35]
    with pytest.raises(UnknownStep, match="ResizeKeepRatio"):
        transform_arguments(data.create_transform((3, 32, 32), crop_mode="border"))
    with pytest.raises(UnknownStep, match="RandomResizedCrop"):
        transform_arguments(data.create_transform((3, 32, 32), is_training=True))
