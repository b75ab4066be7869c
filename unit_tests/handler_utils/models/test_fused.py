"""Convolutions with their batch norms folded in: the same answers, for as long as the model is what it was."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import Any, Callable

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v3_small
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FrozenBatchNorm2d

from ts.handler_utils.models.fused import fuse_convolutions


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def filled(module: nn.Module) -> Any:
    """A module that infers, all of whose numbers are random."""
    torch.manual_seed(0)
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.1, 0.6)
    return module.eval()


def network(norm: Callable[[int], nn.Module] = nn.BatchNorm2d, *, bias: bool = False) -> Any:
    layers = (nn.Conv2d(3, 8, 3, bias=bias), norm(8), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 1), nn.Sigmoid())
    return filled(nn.Sequential(*layers))


@pytest.fixture
def fused() -> Any:
    model = network()
    fuse_convolutions(model)
    return model


def stands(module: Any) -> bool:
    return module._compiled_call_impl is not None


def plain(norm: int) -> nn.Module:
    return nn.BatchNorm2d(norm, affine=False)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("norm", [nn.BatchNorm2d, FrozenBatchNorm2d, plain, nn.InstanceNorm2d, nn.Identity])
def test_the_answers_are_the_models_own(norm: Callable[[int], nn.Module], bias: bool) -> None:
    model = network(norm, bias=bias)
    with torch.inference_mode():
        expected = model(noise(2, 3, 9, 12))
        fuse_convolutions(model)
        assert stands(model)
        answer = model(noise(2, 3, 9, 12))
        assert torch.allclose(answer, expected, atol=1e-6)
        assert answer.is_contiguous()
        assert torch.allclose(
            model(noise(1, 3, 20, 7)), network(norm, bias=bias)(noise(1, 3, 20, 7)), atol=1e-6
        )
    assert stands(model)


def test_a_batch_norm_is_computed_with_the_convolution_before_it(fused: Any) -> None:
    code = fused._compiled_call_impl._code
    kinds = [type(code.get_submodule(node.target)) for node in code.graph.nodes if node.op == "call_module"]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.Conv2d, nn.Sigmoid]


class Residual(nn.Module):
    """Adds to the output of a convolution that it has no further use for, and to another that it has."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, channels, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = self.second(self.first(x) + x)
        return (kept + x) * kept


@pytest.mark.parametrize("channels", [4, 1])
def test_a_sum_is_where_an_output_was_that_is_needed_no_more_and_fits(
    channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Residual, "__module__", "torchvision.somewhere")
    model, batch = filled(Residual(channels)), noise(2, 4, 5, 5)
    with torch.inference_mode():
        expected = model(batch)
        fuse_convolutions(model)
        assert torch.allclose(model(batch), expected, atol=1e-6)
    assert stands(model)
    assert torch.equal(batch, noise(2, 4, 5, 5))
    sums = [
        node.target.__name__ for node in model._compiled_call_impl._code.graph.nodes if "add" in node.name
    ]
    assert sums == ["_added", "add"]


def test_a_convolution_that_is_called_twice_keeps_its_norms() -> None:
    shared = nn.Conv2d(4, 4, 1)
    model = filled(nn.Sequential(shared, nn.BatchNorm2d(4), shared, nn.BatchNorm2d(4)))
    with torch.inference_mode():
        expected = model(noise(2, 4, 5, 5))
        fuse_convolutions(model)
        assert torch.allclose(model(noise(2, 4, 5, 5)), expected, atol=1e-5)


def test_a_pyramid_of_features_stays_an_ordered_dictionary() -> None:
    torch.manual_seed(0)
    trunk = mobilenet_v3_small(weights=None).features
    model = BackboneWithFPN(trunk, {"3": "0", "12": "1"}, [24, 576], 16).eval()
    with torch.inference_mode():
        expected = model(noise(1, 3, 64, 96))
        fuse_convolutions(model)
        answer = model(noise(1, 3, 64, 96))
    assert stands(model)
    assert isinstance(answer, OrderedDict)
    assert list(answer) == list(expected) == ["0", "1", "pool"]
    for name, features in answer.items():
        assert torch.allclose(features, expected[name], atol=1e-4)
        assert features.stride() == expected[name].stride()


def test_gradients_flow_through_the_model_itself(fused: Any) -> None:
    images = noise(1, 3, 9, 9).requires_grad_()
    fused(images).sum().backward()
    expected = noise(1, 3, 9, 9).requires_grad_()
    network()(expected).sum().backward()
    assert torch.equal(images.grad, expected.grad)
    assert fused[0].weight.grad is not None


def test_its_state_copies_and_pickles_are_as_without(fused: Any) -> None:
    assert list(fused.state_dict()) == list(network().state_dict())
    for copied in (copy.deepcopy(fused), pickle.loads(pickle.dumps(fused))):
        assert not stands(copied)
        assert torch.equal(copied[0].weight, fused[0].weight)


def _in_place(model: Any) -> None:
    with torch.no_grad():
        model[0].weight.mul_(2)


def _as_data(model: Any) -> None:
    model[1].running_mean.data.mul_(2)


def _other_weights(model: Any) -> None:
    model[3].weight = nn.Parameter(model[3].weight * 2)


def _another_layer(model: Any) -> None:
    model[4] = nn.Tanh()


def _a_state(model: Any) -> None:
    model.load_state_dict({name: value + 1 for name, value in model.state_dict().items()})


def _training(model: Any) -> None:
    model.train()


CHANGES = [_in_place, _as_data, _other_weights, _another_layer, _a_state, _training]


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_that_was_changed_answers_itself(fused: Any, change: Callable[[Any], None]) -> None:
    own = network()
    with torch.inference_mode():
        fused(noise(2, 3, 9, 9))
    change(fused)
    change(own)
    with torch.inference_mode():
        assert torch.equal(fused(noise(2, 3, 9, 9)), own(noise(2, 3, 9, 9)))
    assert not stands(fused)


def test_hooks_are_called(fused: Any) -> None:
    seen: list[int] = []
    fused[2].register_forward_hook(lambda *call: seen.append(call[-1].shape[1]))
    with torch.inference_mode():
        fused(noise(2, 3, 9, 9))
    assert seen == [8]


class Own(nn.Module):
    """Code of somebody's, which counts its calls and looks into its input."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = network()
        self.calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        features = self.trunk(images if images.mean() > 0 else -images)
        return features.view(features.shape[0], -1)


def test_of_a_model_of_other_code_the_parts_are_fused() -> None:
    model, expected = Own().eval(), Own().eval()
    fuse_convolutions(model)
    assert not stands(model)
    assert stands(model.trunk)
    with torch.inference_mode():
        for images in (noise(2, 3, 9, 9), -noise(2, 3, 9, 9), noise(1, 3, 5, 8)):
            assert torch.allclose(model(images), expected(images), atol=1e-6)
    assert model.calls == 3


@pytest.mark.parametrize(
    "module",
    [
        network().double(),
        network().train(),
        nn.Conv2d(3, 4, 1),
        nn.Sequential(nn.Linear(3, 4)),
        torch.jit.script(network()),
    ],
    ids=["double", "training", "a convolution alone", "none", "TorchScript"],
)
def test_what_gains_nothing_is_left_alone(module: nn.Module) -> None:
    fuse_convolutions(module)
    assert not any(stands(part) for part in module.modules())


def test_what_is_at_fault_in_an_input_is_said_by_the_model(fused: Any) -> None:
    with torch.inference_mode(), pytest.raises(RuntimeError, match="expected input"):
        fused(noise(2, 5, 9, 9))
    assert stands(fused)


def test_code_that_fails_where_the_model_does_not_is_used_no_more(fused: Any) -> None:
    fused._compiled_call_impl._code = lambda _: 1 / 0
    with torch.inference_mode():
        assert torch.equal(fused(noise(2, 3, 9, 9)), network()(noise(2, 3, 9, 9)))
    assert not stands(fused)
