"""How a classifier's outputs become the values of classes: as its archive says, or as they look."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Optional

import pytest
import torch
from torch import nn

from ts.handler_utils.errors import ModelFault, RowErrors
from ts.handler_utils.images.settings import ImageClassifierSettings
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.activations import Activation, ends_in_sigmoid
from ts.torch_handler.image_classifier import ImageClassifier

LOGITS = [[2.0, 1.0, -3.0], [0.5, 0.0, 0.0]]
PROBABILITIES = [[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]]


def handler_of(
    activation: Optional[str] = None, labels: int = 0, model: Optional[nn.Module] = None
) -> ImageClassifier:
    handler = ImageClassifier()
    handler.settings = ImageClassifierSettings(activation=activation)
    handler.mapping = {str(index): f"label {index}" for index in range(labels)} or None
    handler.model = model
    return handler


def values(handler: Any, outputs: Sequence[Any], **how: bool) -> list[list[float]]:
    return Activation.of(handler).values(torch.tensor(outputs), **how).tolist()


def close(rows: Sequence[Any]) -> Any:
    return [pytest.approx(row, abs=1e-6) for row in rows]


# What a setting says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", [LOGITS, PROBABILITIES], ids=["logits", "probabilities"])
@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("softmax", lambda tensor: tensor.softmax(1)),
        ("sigmoid", torch.sigmoid),
        ("none", lambda tensor: tensor),
    ],
)
def test_a_setting_is_done_exactly(activation: str, function: Any, outputs: Any) -> None:
    expected = function(torch.tensor(outputs)).tolist()
    assert values(handler_of(activation), outputs) == close(expected)


def test_the_setting_wins_over_what_the_models_files_say_and_these_over_how_outputs_look() -> None:
    handler = handler_of()
    ModelDefaults.of(handler).activation = "sigmoid"
    assert values(handler, PROBABILITIES) == close(torch.tensor(PROBABILITIES).sigmoid().tolist())
    handler.settings = ImageClassifierSettings(activation="none")
    assert values(handler, PROBABILITIES) == close(PROBABILITIES)


# A single output ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "labels", "paired", "expected"),
    [
        (None, 0, True, [[0.1192, 0.8808], [0.7311, 0.2689]]),
        ("softmax", 0, True, [[0.1192, 0.8808], [0.7311, 0.2689]]),
        (None, 0, False, [[1.0], [1.0]]),
        ("sigmoid", 0, True, [[0.8808], [0.2689]]),
        ("sigmoid", 1, True, [[0.8808], [0.2689]]),
        ("sigmoid", 2, True, [[0.1192, 0.8808], [0.7311, 0.2689]]),
        ("none", 1, True, [[2.0], [-1.0]]),
        ("none", 0, False, [[2.0], [-1.0]]),
    ],
)
def test_a_single_output_is_class_1s_by_the_softmax_or_where_there_are_two_labels(
    activation: Optional[str], labels: int, paired: bool, expected: Any
) -> None:
    found = values(handler_of(activation, labels), [[2.0], [-1.0]], paired=paired)
    assert found == [pytest.approx(row, abs=1e-4) for row in expected]


# Found out ---------------------------------------------------------------------------------------------------


def test_probabilities_are_left_as_they_are_and_the_log_says_so_once(caplog: Any) -> None:
    handler = handler_of()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert values(handler, PROBABILITIES) == close(PROBABILITIES)
    (message,) = caplog.messages
    assert "not put through the softmax again" in message
    assert "handler.activation" in message


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_probabilities_in_half_precision_add_up_less_exactly(dtype: torch.dtype) -> None:
    outputs = torch.randn(4, 1000, generator=torch.Generator().manual_seed(0)).mul(3).softmax(1).to(dtype)
    assert torch.equal(Activation.of(handler_of()).values(outputs), outputs)


@pytest.mark.parametrize(
    "outputs",
    [LOGITS, [[0.7, 0.2, 0.2]], [[1.1, -0.1, 0.0]], [PROBABILITIES[0], [0.7, 0.2, 0.2]]],
    ids=["logits", "not 1", "negative", "one row of two"],
)
def test_all_else_goes_through_the_softmax(outputs: Any) -> None:
    assert values(handler_of(), outputs) == close(torch.tensor(outputs).softmax(1).tolist())


def test_log_probabilities_are_the_same_after_the_softmax() -> None:
    logs = torch.tensor(LOGITS).log_softmax(1)
    assert values(handler_of(), logs.tolist()) == close(logs.exp().tolist())


def test_a_row_that_looks_like_probabilities_by_chance_is_logits_once_others_were() -> None:
    handler = handler_of()
    values(handler, LOGITS)
    assert values(handler, PROBABILITIES) == close(torch.tensor(PROBABILITIES).softmax(1).tolist())


def test_a_row_of_nan_settles_nothing() -> None:
    handler = handler_of()
    with pytest.raises(RowErrors) as caught:
        values(handler, [[float("nan"), 0.2, 0.3], PROBABILITIES[0]])
    assert list(caught.value.errors) == [0]
    assert values(handler, PROBABILITIES) == close(PROBABILITIES)


class Network(nn.Module):
    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.gate, self.linear, self.last = nn.Sigmoid(), nn.Linear(2, 2), last

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.last(self.linear(batch))


@pytest.mark.filterwarnings("ignore")
def test_a_model_ends_in_a_sigmoid_if_that_is_its_last_layer() -> None:
    assert ends_in_sigmoid(nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()))
    assert ends_in_sigmoid(Network(nn.Sigmoid()))
    assert ends_in_sigmoid(torch.jit.script(Network(nn.Sigmoid())))
    assert ends_in_sigmoid(torch.jit.trace(Network(nn.Sigmoid()), torch.zeros(1, 2)))
    assert not ends_in_sigmoid(Network(nn.ReLU()))
    assert not ends_in_sigmoid(lambda batch: batch)
    assert not ends_in_sigmoid(None)


def test_outputs_of_a_sigmoid_are_left_as_they_are() -> None:
    handler = handler_of(model=nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()))
    assert values(handler, [[0.9, 0.8, 0.0]]) == close([[0.9, 0.8, 0.0]])
    assert values(handler, [[0.9]]) == close([[0.1, 0.9]])
    assert values(handler, [[0.9, 0.8, -0.1]]) == close(torch.tensor([[0.9, 0.8, -0.1]]).softmax(1).tolist())


# What is no number -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid", "none"])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_nan_and_infinity_are_the_faults_of_their_rows(activation: Optional[str], wrong: float) -> None:
    with pytest.raises(RowErrors) as caught:
        values(handler_of(activation), [[0.0, 1.0, 2.0], [0.0, wrong, 2.0], [0.0, 1.0, 3.0]])
    assert list(caught.value.errors) == [1]
    assert isinstance(caught.value.errors[1], ModelFault)


@pytest.mark.parametrize(
    ("activation", "expected"), [(None, [0.0, 0.2689, 0.7311]), ("sigmoid", [0.0, 0.5, 0.7311])]
)
def test_minus_infinity_is_a_probability_of_0(activation: Optional[str], expected: Any) -> None:
    outputs = [[-float("inf"), 0.0, 1.0]]
    assert values(handler_of(activation), outputs) == [pytest.approx(expected, abs=1e-4)]


def test_minus_infinity_is_no_value_as_it_is() -> None:
    with pytest.raises(RowErrors):
        values(handler_of("none"), [[-float("inf"), 0.0, 1.0]])
