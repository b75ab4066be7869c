"""What a model takes is told by its inputs, or by its first layer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from ts.handler_utils.description import input_row


class Wrapped(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.drop = nn.Dropout()
        self.inner = nn.Sequential(layer, nn.ReLU())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.inner(self.drop(rows))


@pytest.mark.parametrize(
    ("layer", "row"),
    [
        (nn.Linear(4, 2), [4]),
        (nn.Conv1d(8, 2, 3), [8, None]),
        (nn.Conv2d(1, 2, 3), [1, None, None]),
        (nn.Conv2d(6, 6, 3, groups=3), [6, None, None]),
        (nn.Conv3d(3, 2, 3), [3, None, None, None]),
        (nn.LayerNorm(4), None),
    ],
)
def test_the_first_layer_tells(layer: nn.Module, row: Any) -> None:
    assert input_row(Wrapped(layer)) == row


def test_a_scripted_layer_tells_too() -> None:
    assert input_row(torch.jit.script(Wrapped(nn.Linear(4, 2)))) == [4]
    assert input_row(torch.jit.script(Wrapped(nn.Conv2d(3, 2, 3)))) == [3, None, None]


def test_an_onnx_models_input_tells() -> None:
    def model(*shapes: list[Any]) -> Any:
        return SimpleNamespace(get_inputs=lambda: [SimpleNamespace(shape=shape) for shape in shapes])

    assert input_row(model(["batch", 3, "height", 224])) == [3, None, 224]
    assert input_row(model([1, 2], [1, 2])) is None
    assert input_row(model([])) is None


def test_where_nothing_tells_it_is_unknown() -> None:
    assert input_row(None) is None
    assert input_row(nn.Identity()) is None
    assert input_row(lambda rows: rows) is None
