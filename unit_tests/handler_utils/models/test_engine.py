"""Models that are no plain functions of their input, under `engine: openvino`: the answers are torch's."""

from __future__ import annotations

from typing import Any, Callable

import pytest
import torch
from torch import nn

from ts.handler_utils.models.engine import OpenVinoCaller
from ts.handler_utils.models.openvino.source import Source

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

pytestmark = pytest.mark.usefixtures("openvino_cache")


class Network(nn.Module):
    """A layer, and what a test does with it."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.words = nn.Linear(4, 4), nn.Embedding(9, 4)
        self.register_buffer("last", torch.zeros(4))
        self._forward = forward

    def forward(self, *args: Any) -> Any:
        return self._forward(self, *args)


def caller_of(forward: Callable[..., Any], *, strict: bool = False) -> OpenVinoCaller:
    network = Network(forward).eval()
    return OpenVinoCaller(Source(network, network), strict=strict)


def by_rows(network: Any, numbers: torch.Tensor) -> torch.Tensor:
    return network.layer(numbers) * (1 if len(numbers) < 4 else 2)


def by_size(network: Any, numbers: torch.Tensor) -> torch.Tensor:
    return network.layer(numbers[..., :4]) * (1 if numbers.shape[-1] < 12 else 2)


def by_sign(network: Any, numbers: torch.Tensor) -> torch.Tensor:
    return network.layer(numbers) * (1 if numbers.sum() > 0 else 2)


def by_scale(network: Any, numbers: torch.Tensor) -> torch.Tensor:
    return network.layer(numbers / 255 if numbers.max() > 1 else numbers)


ROWS = [torch.rand(rows, 4) for rows in (2, 3, 2, 5, 5, 8, 1, 0)]
SIZES = [torch.rand(2, size) for size in (4, 5, 6, 7, 8, 9, 13, 14, 5)]
VALUES = [torch.rand(2, 4), -torch.rand(2, 4), 200 * torch.rand(2, 4)]


@pytest.mark.parametrize(
    ("forward", "calls"),
    [(by_rows, ROWS), (by_size, SIZES), (by_sign, VALUES), (by_scale, VALUES)],
    ids=["rows", "size", "sign", "scale"],
)
def test_what_a_model_does_by_sizes_and_values_is_not_fixed(
    forward: Callable[..., Any], calls: list[torch.Tensor]
) -> None:
    caller = caller_of(forward)
    for call in calls:
        assert caller(call).detach() == pytest.approx(caller.model(call).detach(), abs=1e-5)


def test_an_index_that_is_too_large_is_an_error_as_in_torch() -> None:
    caller = caller_of(lambda network, indexes: network.words(indexes))
    for indexes in ([[1, 2]], [[3, 8]], [[0, 5]]):
        assert torch.equal(caller(torch.tensor(indexes)), caller.model(torch.tensor(indexes)))
    with pytest.raises(IndexError):
        caller(torch.tensor([[3, 9]]))
    assert len(caller._forms) == 1


def test_a_model_that_changes_its_own_tensors_is_refused() -> None:
    def remember(network: Any, numbers: torch.Tensor) -> torch.Tensor:
        network.last.copy_(numbers[0])
        return network.layer(numbers)

    message = "cannot convert Network: it changes its own tensors when it is called, and no part of it"
    with pytest.raises(ValueError, match=message), torch.no_grad():
        caller_of(remember, strict=True)(torch.rand(2, 4))


def test_an_output_that_has_no_rows_and_a_call_of_none() -> None:
    caller = caller_of(lambda network, numbers: network.layer(numbers).mean())
    for rows in (0, 2, 0):
        batch = torch.rand(rows, 4)
        wanted = caller.model(batch).detach()
        assert torch.allclose(caller(batch).detach(), wanted, atol=1e-5, equal_nan=True)


def scaled(network: Any, numbers: torch.Tensor) -> torch.Tensor:
    network.last_rows = len(numbers)  # which a model sets by itself
    return network.layer(numbers) * getattr(network, "scale", 1)


def test_a_number_that_is_set_in_the_model_counts_and_one_that_it_sets_itself_is_no_change() -> None:
    caller = caller_of(scaled)
    numbers = torch.rand(3, 4)
    first = caller(numbers)
    caller(numbers[:1])
    assert caller.is_current()
    caller.model(numbers)  # as by a handler
    assert caller.is_current()
    caller.model.scale = 3
    assert not caller.is_current()
    torch.testing.assert_close(caller.model(numbers), first * 3)
