"""Whose fault it is that a model fails on a tensor: its own, or the client's who sent one of another shape."""

from __future__ import annotations

import logging
from typing import Any, Callable

import pytest
import torch

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector

FOUR = {"data": [1.0, 2.0, 3.0, 4.0]}


def base(model: Any) -> BaseHandler:
    handler = BaseHandler()
    handler.model, handler.device, handler.initialized = model, torch.device("cpu"), True
    return handler


class Pooled(torch.nn.Module):
    """A classifier that takes images of 8x8 pixels and more."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv2d(channels, 5, 8)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.convolution(images).mean((2, 3))


def classifier(model: Any) -> ImageClassifier:
    handler = ImageClassifier()
    handler.model, handler.device, handler.initialized = model, torch.device("cpu"), True
    return handler


def test_a_shape_that_the_model_fails_on_is_the_clients_once_it_has_answered_another(
    make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    handler, context = base(torch.nn.Linear(4, 2)), make_context()
    assert len(handler.handle([FOUR], context)[0]) == 2
    caplog.set_level(logging.INFO)
    (answer,) = handler.handle([{"data": [1.0, 2.0]}], context)
    assert answer["code"] == 400
    assert answer["message"] == "The model takes no input of shape [2]: [4] is one that it takes"
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)


def test_in_a_batch_the_neighbours_are_answered(make_context: Callable) -> None:
    handler, context = base(torch.nn.Linear(4, 2)), make_context()
    (alone,) = handler.handle([FOUR], context)
    answers = handler.handle([FOUR, {"data": [1.0, 2.0]}, FOUR, {"data": [[1.0]]}], context)
    assert [answers[0], answers[2]] == [alone, alone]
    assert [answers[1]["code"], answers[3]["code"]] == [400, 400]


def test_a_model_that_fails_on_what_it_takes_is_at_fault(
    make_context: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    def model(batch: torch.Tensor) -> torch.Tensor:
        if (batch < 0).any():
            raise RuntimeError("it takes no negative numbers")
        return batch

    handler, context = base(model), make_context()
    handler.handle([FOUR], context)
    (answer,) = handler.handle([{"data": [-1.0, 2.0, 3.0, 4.0]}], context)
    assert (answer["code"], answer["message"]) == (503, "Prediction failed")
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert "request-0" in record.getMessage()


def test_a_model_that_has_answered_nothing_yet_is_at_fault(make_context: Callable) -> None:
    (answer,) = base(torch.nn.Linear(4, 2)).handle([{"data": [1.0]}], make_context())
    assert answer["code"] == 503


@pytest.mark.parametrize("shape", [(3, 4, 4), (1, 224, 224)])
def test_a_classifiers_own_shape_is_known_beforehand(make_context: Callable, shape: tuple[int, ...]) -> None:
    (answer,) = classifier(Pooled()).handle([{"data": torch.zeros(shape).tolist()}], make_context())
    assert answer["code"] == 400
    assert f"no input of shape {list(shape)}: [3, 224, 224]" in answer["message"]


@pytest.mark.parametrize("payload", [[[1.0, 2.0]], [1.0], 7, [[[[1.0]]]]])
def test_a_classifiers_lists_are_three_deep(make_context: Callable, payload: Any) -> None:
    (answer,) = classifier(Pooled()).handle([{"data": payload}], make_context())
    assert (answer["code"], "the model takes [channels, height, width]" in answer["message"]) == (400, True)


def test_a_model_that_takes_other_images_than_its_handler_makes_is_asked(make_context: Callable) -> None:
    """A grey model in a handler that is set up for colours: nested lists are the model's input as they are."""
    handler, context = classifier(Pooled(channels=1)), make_context()
    (answer,) = handler.handle([{"data": torch.zeros(1, 9, 9).tolist()}], context)
    assert len(answer) == 5
    (answer,) = handler.handle([{"data": torch.zeros(3, 9, 9).tolist()}], context)
    assert "no input of shape [3, 9, 9]: [1, 9, 9]" in answer["message"]


def test_a_model_that_fails_on_everything_is_at_fault(make_context: Callable) -> None:
    def model(_: torch.Tensor) -> None:
        raise RuntimeError("it is broken")

    (answer,) = classifier(model).handle([{"data": torch.zeros(3, 4, 4).tolist()}], make_context())
    assert answer["code"] == 503


@pytest.mark.parametrize("takes_lists", [True, False])
def test_a_detector_takes_images_of_three_channels_and_any_size(
    takes_lists: bool, make_context: Callable
) -> None:
    network = torch.nn.Conv2d(3, 1, 2)

    def detect(image: torch.Tensor) -> dict[str, torch.Tensor]:
        score = network(image[None]).mean().sigmoid()
        return {"boxes": torch.ones(1, 4), "labels": torch.ones(1, dtype=torch.int64), "scores": score[None]}

    handler, context = ObjectDetector(), make_context()
    handler.settings = handler.settings_class(stack=not takes_lists)
    handler.model = lambda images: [detect(image) for image in images]
    handler.device, handler.initialized = torch.device("cpu"), True
    for shape in ((1, 9, 9), (3, 1, 1)):
        (answer,) = handler.handle([{"data": torch.zeros(shape).tolist()}], context)
        assert f"no input of shape {list(shape)}: [3, 224, 224] is one" in answer["message"]
    (answer,) = handler.handle([{"data": torch.zeros(3, 2, 5).tolist()}], context)
    assert answer == [] or "score" in answer[0]
