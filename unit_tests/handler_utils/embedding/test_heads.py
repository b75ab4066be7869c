"""The last layer of a classifier is taken off, and what entered it is what comes out."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models import VisionTransformer, get_model

from ts.handler_utils.embedding.heads import take_off_head

IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def what_enters(model: nn.Module, layer: str) -> torch.Tensor:
    """The input of a layer, off a copy of the model."""
    seen = []
    model = copy.deepcopy(model)
    model.get_submodule(layer).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(IMAGES)
    return seen[0]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("resnet18", "fc"),
        ("mobilenet_v3_small", "classifier.3"),
        ("shufflenet_v2_x0_5", "fc"),
        ("mnasnet0_5", "classifier.1"),
        ("densenet121", "classifier"),
    ],
)
def test_torchvisions_classifiers(name, layer):
    torch.manual_seed(0)
    model = get_model(name, weights=None).eval()
    expected = what_enters(model, layer)
    assert take_off_head(model) == layer
    with torch.no_grad():
        assert torch.equal(model(IMAGES), expected)


def test_a_vision_transformers_class_token():
    model = VisionTransformer(64, 32, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=16).eval()
    nn.init.normal_(model.heads.head.weight)
    expected = what_enters(model, "heads.head")
    assert take_off_head(model) == "heads.head"
    with torch.no_grad():
        assert torch.equal(model(IMAGES), expected)


def test_squeezenets_last_layer_is_a_convolution():
    model = get_model("squeezenet1_1", weights=None).eval()
    features = model.features(IMAGES).mean(dim=(2, 3))
    assert take_off_head(model) == "classifier.1"
    with torch.no_grad():
        assert torch.allclose(model(IMAGES), features, atol=1e-6)


def test_a_class_of_ones_own_that_is_derived_from_torchvisions():
    class Mine(torchvision.models.ResNet):
        def __init__(self):
            super().__init__(torchvision.models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=3)

    model = Mine().eval()
    assert take_off_head(model) == "fc"
    assert model(IMAGES).shape == (2, 512)
    assert take_off_head(model) is None  # there is none left


def test_all_other_models_are_left_as_they_are_unless_a_layer_is_named():
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = get_model("resnet18", weights=None)

        def forward(self, x):
            return self.net(x)

    model = Wrapped().eval()
    assert take_off_head(model) is None
    assert model(IMAGES).shape == (2, 1000)
    assert take_off_head(model, "net.fc") == "net.fc"
    assert model(IMAGES).shape == (2, 512)


def test_none_keeps_the_head():
    model = get_model("resnet18", weights=None).eval()
    assert take_off_head(model, "none") is None
    assert model(IMAGES).shape == (2, 1000)


def test_a_compiled_model_loses_the_head_of_what_it_wraps():
    model = torch.compile(get_model("resnet18", weights=None).eval(), backend="eager")
    assert take_off_head(model) == "fc"
    assert model(IMAGES).shape == (2, 512)


def test_a_layer_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"no layer 'layer4\.3\.conv2'.*layer4\."):
        take_off_head(get_model("resnet18", weights=None), "layer4.3.conv2")


def test_layers_of_exported_models_cannot_be_taken_off():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.trace(get_model("resnet18", weights=None).eval(), IMAGES)
    for model in (script, lambda images: images):
        assert take_off_head(model) is None
        with pytest.raises(ValueError, match=r"handler\.head is 'fc'.*export it without"):
            take_off_head(model, "fc")


def test_a_segmenter_has_no_such_head():
    model = get_model("lraspp_mobilenet_v3_large", weights=None, weights_backbone=None)
    assert take_off_head(model) is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resnet10t", {}),
        ("mobilenetv3_small_050", {}),
        ("convnext_atto", {"depths": (1, 1, 1, 1)}),
        ("vit_tiny_patch16_224", {"img_size": 64, "depth": 1}),
        ("deit_tiny_distilled_patch16_224", {"img_size": 64, "depth": 1}),
        ("vit_tiny_patch16_224", {"img_size": 64, "depth": 1, "global_pool": "avg", "fc_norm": True}),
    ],
)
def test_timms_classifiers_give_the_features_of_their_models_without_classes(name, arguments):
    timm = pytest.importorskip("timm", reason="pip install timm: its networks are compared")
    torch.manual_seed(0)
    model = timm.create_model(name, **arguments).eval()
    features = timm.create_model(name, num_classes=0, **arguments).eval()
    features.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        expected = features(IMAGES)
        assert torch.allclose(model.forward_head(model.forward_features(IMAGES), pre_logits=True), expected)
        assert take_off_head(model) == "classifier"
        assert torch.allclose(model(IMAGES), expected, atol=1e-5)
