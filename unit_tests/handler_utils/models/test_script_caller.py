"""TorchScript models, whose frozen copies give the same answers, and which answer themselves where those fail."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from ts.handler_utils.models.inputs import InputForm, adapt_model
from ts.handler_utils.models.script_caller import ScriptCaller


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Linear(8, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(images).mean(dim=(2, 3)))


class Flattened(Network):
    """`view` fails on images whose channels come last."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.layers(images)
        return features.view(features.size(0), 8, -1).mean(dim=2) + features.view(-1)[0]


def script(network: nn.Module) -> torch.jit.ScriptModule:
    torch.manual_seed(3)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(network.eval())


@pytest.fixture
def images():
    return torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("network", [Network, Flattened])
def test_the_answers_are_the_models_own(network, images):
    model = script(network())
    call = ScriptCaller(model, InputForm(), "cpu")
    with torch.inference_mode():
        expected = model(images)
        for _ in range(4):  # TorchScript optimizes after a while
            assert torch.allclose(call(images), expected, atol=1e-6)
        assert torch.allclose(call(images[:2]), expected[:2], atol=1e-6)


class Layout(nn.Module):
    """Says whether its input lies in memory as [N, H, W, C]."""

    def forward(self, images: torch.Tensor) -> bool:
        return images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("wanted", "expected"), [(None, True), (True, True), (False, False)])
def test_images_are_laid_out_as_asked_for(wanted, expected, images):
    model = script(Layout())
    assert ScriptCaller(model, InputForm(channels_last=wanted), "cpu")(images) is expected


def test_the_model_keeps_its_methods_and_weights(images):
    model = script(Network())
    ScriptCaller(model, InputForm(), "cpu")(images)
    assert set(model.state_dict()) >= {"layers.0.weight", "head.bias"}


def test_a_wrong_input_raises_what_the_model_raises(images):
    call = ScriptCaller(script(Network()), InputForm(), "cpu")
    with pytest.raises(RuntimeError, match="expected input"):
        call(images[:, :2])
    assert call(images).shape == (5, 4)


def test_the_copy_computes_in_the_models_precision(images):
    form = InputForm(torch.bfloat16)
    model = adapt_model(script(Network()), form)
    call = ScriptCaller(model, form, "cpu")
    with torch.inference_mode():
        assert call(images).dtype == torch.float32
        assert torch.allclose(call(images), call.call_source(images), atol=0.05)


def test_gradients_flow_through_the_model_itself(images):
    form = InputForm(torch.bfloat16)
    call = ScriptCaller(adapt_model(script(Network()), form), form, "cpu")
    images.requires_grad_()
    call.call_source(images).sum().backward()
    assert images.grad.abs().sum() > 0


def test_a_model_in_training_is_not_frozen(images):
    model = script(Network())
    model.train()
    mean = model.state_dict()["layers.1.running_mean"].clone()
    ScriptCaller(model, InputForm(), "cpu")(images)
    assert not torch.equal(model.state_dict()["layers.1.running_mean"], mean)


def test_freezing_warns_of_nothing():
    model = script(Network())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ScriptCaller(model, InputForm(), "cpu").freeze()


def fill(model):
    with torch.no_grad():
        model.head.weight.fill_(2)


CHANGES = {
    "in place": fill,
    "in inference mode": lambda model: torch.inference_mode()(fill)(model),
    "through data": lambda model: model.head.weight.data.fill_(2),
    "a state dict": lambda model: model.load_state_dict({k: v + 1 for k, v in model.state_dict().items()}),
    "a buffer": lambda model: dict(model.named_buffers())["layers.1.running_mean"].add_(1),
    "another type and back": lambda model: model.half().float(),
    "to training": lambda model: model.train(),
    "one layer to training": lambda model: getattr(model.layers, "1").train(),
}


@pytest.mark.parametrize("when", ["before the first answer", "after it"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_answer_follows_a_model_that_is_changed(change, when, images):
    model, same = script(Network()), script(Network())
    call = ScriptCaller(model, InputForm(), "cpu")
    with torch.inference_mode():
        if when == "after it":
            call(images)
    change(model)
    change(same)
    with torch.inference_mode():
        assert torch.allclose(call(images), same(images), atol=1e-6)
        assert torch.allclose(call(images[:2]), same(images[:2]), atol=1e-6)


def test_a_model_that_stays_as_it_is_is_answered_by_its_copy(images):
    model = script(Network())
    call = ScriptCaller(model, InputForm(), "cpu")
    call.freeze()
    model.forward = None  # which the copy does without
    with torch.inference_mode():
        assert call(images).shape == call(images).shape == (5, 4)


def test_no_copy_is_made_where_none_is_wanted(images, monkeypatch):
    monkeypatch.setattr(torch.jit, "freeze", lambda _: pytest.fail("a copy was made"))
    model = script(Network())
    call = ScriptCaller(model, InputForm(), "cpu", frozen=False)
    call.freeze()
    assert torch.equal(call(images), model(images))
