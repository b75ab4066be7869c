"""Which sizes an exported program leaves open: all that vary, else the batch's, else none."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ts.runner import ArchiveError
from ts.runner.exporting.program import Program, export_model, varying_sizes
from ts.runner.exporting.recording import Call


class Network(torch.nn.Module):
    """Doubles images; it knows one height only, if told so, and one batch size only."""

    def __init__(self, one_height: bool = False, one_batch: bool = False) -> None:
        super().__init__()
        self.one_height = one_height
        self.one_batch = one_batch

    def forward(self, images: torch.Tensor, factor: int = 2) -> torch.Tensor:
        height_is_known = self.one_height and images.shape[2] == 8
        batch_is_known = self.one_batch and images.shape[0] == 4
        return images * factor if height_is_known or batch_is_known else images * 1.0 * factor


def call(*shape: int, **named: Any) -> Call:
    return Call((torch.rand(*shape),), named)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (Network(), Program(None, {})),
        (Network(one_height=True), Program(None, {2: 8, 3: 6})),
        (Network(one_batch=True), Program(4, {2: 8, 3: 6})),
    ],
    ids=["all", "batch", "none"],
)
def test_as_many_sizes_as_the_model_allows_are_left_open(network: Network, expected: Program) -> None:
    programs: list[Any] = []
    calls = call(2, 3, 8, 6), call(3, 3, 10, 12)
    assert export_model(network, calls, lambda: call(4, 3, 8, 6), programs.append) == expected
    rows = expected.batch or 5
    images = torch.rand(rows, 3, 8, 6)
    assert torch.equal(programs[-1].module()(images), 2 * images)


def test_named_inputs_are_exported_by_their_names() -> None:
    programs: list[Any] = []
    calls = call(2, 3, 8, 6, factor=3), call(3, 3, 8, 6, factor=3)
    export_model(Network(), calls, lambda: calls[0], programs.append)
    images = torch.rand(5, 3, 8, 6)
    assert torch.equal(programs[-1].module()(images, factor=3), 3 * images)


def test_what_cannot_be_saved_open_is_saved_fixed() -> None:
    saved: list[Any] = []

    def save(program: Any) -> None:
        if program.range_constraints:
            raise RuntimeError("no compiler for sizes that vary")
        saved.append(program)

    calls = call(2, 3, 8, 6), call(3, 3, 8, 6)
    assert export_model(Network(), calls, lambda: call(4, 3, 8, 6), save) == Program(4, {})
    assert len(saved) == 1


def test_a_list_of_images_is_refused() -> None:
    images = [torch.rand(3, 8, 8)]
    with pytest.raises(ArchiveError, match=r"calls its model with a list, of which torch\.export would fix"):
        varying_sizes(Call((images,), {}), Call((images * 2,), {}))


def test_calls_that_differ_in_more_than_sizes_are_refused() -> None:
    with pytest.raises(ArchiveError, match="differ by more than their sizes"):
        varying_sizes(call(2, 3, 8), call(2, 3, 8, 8))
