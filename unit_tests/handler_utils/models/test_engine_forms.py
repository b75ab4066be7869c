"""What models take and return under `engine: openvino`: the answers are torch's, of any kind and nesting."""

from __future__ import annotations

import dataclasses
import logging
from collections import namedtuple
from typing import Any, Callable

import pytest
import torch
from torch import nn

from ts.handler_utils.models.engine import OpenVinoCaller
from ts.handler_utils.models.openvino.parts import OpenVinoPart
from ts.handler_utils.models.openvino.source import Source

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

pytestmark = pytest.mark.usefixtures("openvino_cache")

Pair = namedtuple("Pair", ["scores", "best"])


@dataclasses.dataclass
class Found:
    scores: torch.Tensor


class Network(nn.Module):
    """A layer, and what a test does with it."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 4)
        self._forward = forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._forward(self.layer, *args, **kwargs)


def caller_of(forward: Callable[..., Any]) -> OpenVinoCaller:
    network = Network(forward).eval()
    return OpenVinoCaller(Source(network, network), strict=False)


def assert_equal(found: Any, wanted: Any) -> None:
    assert type(found) is type(wanted)
    if isinstance(wanted, torch.Tensor):
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        assert torch.allclose(found.double(), wanted.double(), atol=1e-5)
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted)
        for pair in zip(found, wanted):
            assert_equal(*pair)
    elif isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for name in wanted:
            assert_equal(found[name], wanted[name])
    elif isinstance(wanted, Found):
        assert_equal(found.scores, wanted.scores)
    else:
        assert found == wanted


BATCHES = [torch.rand(rows, 4) - 0.5 for rows in (2, 1, 5, 3)]


OUTPUTS: dict[str, tuple[Callable[..., Any], int]] = {  # and the forms that OpenVINO answers
    "indexes": (lambda layer, x: layer(x).argmax(1), 1),
    "best": (lambda layer, x: layer(x).topk(2), 1),
    "signs": (lambda layer, x: {"over": layer(x) > 0, "whole": (layer(x).abs() * 100).to(torch.uint8)}, 1),
    "small": (lambda layer, x: (layer(x) * 9).to(torch.int8), 1),
    "short": (lambda layer, x: (layer(x) * 9).to(torch.int16), 1),
    "int32": (lambda layer, x: (layer(x) * 9).to(torch.int32), 1),
    "double": (lambda layer, x: layer(x).double(), 1),
    "half": (lambda layer, x: layer(x).half(), 1),
    "named": (lambda layer, x: Pair(layer(x), layer(x).argmax(1)), 1),
    "same": (lambda layer, x: [x, (y := layer(x)), y, {"again": y}], 1),
    "view": (lambda layer, x: (layer(x), x[:, :2], x.T), 1),
    "nothing": (lambda layer, x: {"out": layer(x), "aux": None, "kind": "logits", "level": 3}, 1),
    "count": (lambda layer, x: {"out": layer(x), "rows": len(x)}, 0),
    "largest": (lambda layer, x: (layer(x), float(x.max())), 0),
    "keys": (lambda layer, x: {f"of {len(x)}": layer(x)}, 0),
    "numbers": (lambda layer, x: layer(x).tolist(), 0),
    "array": (lambda layer, x: layer(x).detach().numpy().tolist(), 0),
    "object": (lambda layer, x: Found(layer(x)), 0),
}


@pytest.mark.parametrize(("forward", "forms"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_are_nested_and_of_types_as_torchs(forward: Callable[..., Any], forms: int) -> None:
    caller = caller_of(forward)
    kept: list[tuple[Any, Any]] = []
    for batch in BATCHES * 2:
        with torch.no_grad():
            kept.append((caller(batch), caller.model(batch)))
    for found, wanted in kept:  # which no later call has changed
        assert_equal(found, wanted)
    assert len(caller._forms) == forms


def strided(batch: torch.Tensor) -> torch.Tensor:
    return torch.stack([batch, batch], 2)[:, :, 0]


INPUTS: dict[str, Callable[[torch.Tensor], Any]] = {
    "strided": strided,
    "transposed": lambda batch: batch.T.contiguous().T,
    "expanded": lambda batch: batch[:1].expand(len(batch), 4),
    "gradients": lambda batch: batch.clone().requires_grad_(),
    "parameter": lambda batch: nn.Parameter(batch.clone()),
    "negative": lambda batch: torch._neg_view(batch),
}


@pytest.mark.parametrize("make", INPUTS.values(), ids=INPUTS)
def test_inputs_that_lie_in_memory_in_other_ways(make: Callable[..., Any]) -> None:
    caller = caller_of(lambda layer, x: layer(x))
    for batch in BATCHES:
        with torch.no_grad():
            assert_equal(caller(make(batch)), caller.model(make(batch)))
    assert len(caller._forms) == 1


def test_images_of_channels_last() -> None:
    caller = caller_of(lambda layer, x: layer(x).mean((2, 3)))
    for rows in (2, 1, 3):
        images = torch.rand(rows, 3, 5, 4).to(memory_format=torch.channels_last)
        with torch.no_grad():
            assert_equal(caller(images), caller.model(images))
    assert len(caller._forms) == 1


@pytest.mark.parametrize("kind", ["sparse", "complex"])
def test_tensors_that_are_no_plain_numbers_are_torchs(kind: str) -> None:
    caller = caller_of(lambda _, x: x.to_dense() * 2 if x.is_sparse else x.abs())
    batch = {
        "sparse": lambda: torch.eye(3).to_sparse(),
        "complex": lambda: torch.eye(3) * 2j,
    }[kind]()
    for _ in range(2):
        assert torch.equal(caller(batch), caller.model(batch))
    assert not caller._forms


def test_several_inputs_by_place_and_by_name_of_types_of_their_own() -> None:
    def forward(
        layer: Any, x: torch.Tensor, mask: Any = None, *, scale: float = 1.0, shift: Any = None
    ) -> Any:
        y = layer(x.float()) * scale
        y = y if mask is None else y * mask
        return y if shift is None else y + shift["by"]

    caller = caller_of(forward)
    calls: list[tuple[Any, Any]] = [
        ((torch.ones(2, 4, dtype=torch.int64),), {}),
        ((torch.rand(2, 4), torch.tensor([[True], [False]])), {"scale": 2.0}),
        ((torch.rand(2, 4),), {"shift": {"by": torch.rand(4)}}),
        ((torch.rand(3, 4), torch.ones(3, 1, dtype=torch.bool)), {"scale": 2.0}),
    ]
    for _ in range(2):
        for args, kwargs in calls:
            with torch.no_grad():
                assert_equal(caller(*args, **kwargs), caller.model(*args, **kwargs))
    assert len(caller._forms) == 3


def test_a_model_that_changes_what_it_is_called_with_is_torchs() -> None:
    def forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
        return layer(x.sub_(0.5).mul_(2))

    caller = caller_of(forward)
    for batch in BATCHES:
        given, others = batch.clone(), batch.clone()
        with torch.no_grad():
            assert torch.equal(caller(given), caller.model(others))
        assert torch.equal(given, others)
    assert not caller._forms


class Images(nn.Module):
    """A backbone that OpenVINO can compute, and what it cannot."""

    def __init__(self, find: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self._find = find

    def forward(self, images: torch.Tensor) -> Any:
        return self._find(self.backbone(images))


def boxes(maps: torch.Tensor) -> list[dict[str, torch.Tensor]]:
    found = []
    for each in maps:
        places = (each[0] > each[0].mean()).nonzero().float()
        found.append({"boxes": torch.cat([places, places + 2], 1), "scores": places.sum(1).sigmoid()})
    return found


def eigenvalues(maps: torch.Tensor) -> torch.Tensor:
    return torch.linalg.eigvals(maps[:, 0]).abs()


@pytest.mark.parametrize("find", [boxes, eigenvalues])
def test_of_a_model_that_cannot_be_converted_the_parts_are_that_can(
    find: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ts.handler_utils.models")
    network, plain = Images(find).eval(), Images(find).eval()
    caller = OpenVinoCaller(Source(network, network), strict=True)
    with torch.inference_mode():
        for rows in (2, 1, 3, 0):
            batch = torch.rand(rows, 3, 8, 8)
            assert_equal(caller(batch), plain(batch))
    assert isinstance(network.backbone._compiled_call_impl, OpenVinoPart)
    assert caplog.text.count("OpenVINO computes backbone of the model, and torch the rest") == 1


def test_without_such_a_part_one_sentence_says_why() -> None:
    network = Images(boxes).eval()
    network.backbone = nn.Conv2d(3, 4, 3)
    message = r"convert Images: it .*, and no part of it is a network of convolutions by itself; leave out"
    with pytest.raises(ValueError, match=message), torch.inference_mode():
        OpenVinoCaller(Source(network, network), strict=True)(torch.rand(2, 3, 8, 8))
