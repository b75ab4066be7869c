from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from detectors import make_detector, photo
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn, ssdlite320_mobilenet_v3_large

from ts.handler_utils.detection.image_lists import detect_in_stacks, takes_list, takes_one_image


class OfAList(nn.Module):
    def forward(self, images: list[Tensor]) -> list[Tensor]:
        return images


class OfATensor(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images


class Undeclared(nn.Module):
    def forward(self, images):  # type: ignore[no-untyped-def]
        return images


def script(model: nn.Module) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(model)


@pytest.mark.parametrize(
    ("model", "expected"), [(OfAList(), True), (OfATensor(), False), (Undeclared(), False)]
)
def test_a_model_says_what_it_takes_by_the_type_of_its_first_argument(
    model: nn.Module, expected: bool
) -> None:
    assert takes_list(model) is expected


@pytest.mark.parametrize(("model", "expected"), [(OfAList(), True), (OfATensor(), False)])
def test_so_does_a_scripted_model(model: nn.Module, expected: bool) -> None:
    assert takes_list(script(model)) is expected


def test_so_does_a_compiled_model() -> None:
    assert takes_list(torch.compile(OfAList()))


@pytest.mark.parametrize("build", [fasterrcnn_mobilenet_v3_large_320_fpn, ssdlite320_mobilenet_v3_large])
def test_torchvisions_detectors_take_a_list(build: Any) -> None:
    assert takes_list(build(weights=None, weights_backbone=None))


def sizes(stack: Tensor) -> list[dict[str, Tensor]]:
    """A detector that gives each image one box of the image's own size, and the batch's as its label."""
    assert stack.dim() == 4
    count, _, height, width = stack.shape
    box = torch.tensor([[0.0, 0.0, width, height]])
    return [{"boxes": box, "labels": torch.tensor([count]), "scores": torch.ones(1)} for _ in range(count)]


def test_images_of_one_size_are_run_together_and_answers_keep_the_order_of_the_images() -> None:
    images = [torch.zeros(3, 4, 5), torch.zeros(3, 6, 7), torch.zeros(3, 4, 5)]
    found = detect_in_stacks(sizes, images)
    assert [detections["boxes"].tolist() for detections in found] == [
        [[0, 0, 5, 4]],
        [[0, 0, 7, 6]],
        [[0, 0, 5, 4]],
    ]
    assert [detections["labels"].item() for detections in found] == [2, 1, 2]


def test_where_all_images_have_one_size_the_models_own_output_is_returned() -> None:
    def identity(stack: Tensor) -> Tensor:
        return stack

    stack = torch.zeros(2, 3, 4, 5)
    assert detect_in_stacks(identity, stack) is stack
    assert detect_in_stacks(identity, list(stack)).shape == (2, 3, 4, 5)


# Models of one image at a time -------------------------------------------------------------------------------


class Exported:
    """What `torch.onnx.export` makes of a torchvision detector: a session that takes an image."""

    def __init__(self, shape: list[Any]) -> None:
        self.shape = shape

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="images", shape=self.shape)]

    def __call__(self, image: Tensor) -> list[Tensor]:
        _, height, width = image.shape
        return [torch.tensor([[0.0, 0.0, width, height]]), torch.tensor([1]), torch.tensor([0.9])]


def test_an_onnx_file_says_that_it_takes_one_image() -> None:
    assert takes_one_image(Exported([3, "height", "width"]))
    assert not takes_one_image(Exported([1, 3, "height", "width"]))
    assert not takes_one_image(sizes)
    assert not takes_one_image(torch.nn.Identity())


@pytest.mark.parametrize("size", [(40, 30), (24, 30)])
def test_each_image_of_a_batch_is_given_to_it(size: tuple[int, int], make_context: Any) -> None:
    handler: Any = make_detector(Exported([3, "height", "width"]))  # type: ignore[arg-type]
    context = make_context()
    answers = handler.handle([{"data": photo(24, 30)}, {"data": photo(*size)}], context)
    assert not context.statuses
    assert [answer[0]["cat"] for answer in answers] == [[0, 0, 24, 30], [0, 0, *size]]
