"""torchvision's networks by name, with weights from the archive and from nowhere else."""

from __future__ import annotations

import pytest
import torch
import torchvision
from devices import DEVICES
from torchvision.models import get_model

from ts.handler_utils.models.formats.architecture import (
    NORM_EPS,
    build,
    check_architecture,
    load_architecture,
)
from ts.torch_handler.base_handler import BaseHandler


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("nothing is to be downloaded")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", refuse)


@pytest.mark.parametrize("device", DEVICES)
def test_a_classifier_answers_as_the_network_whose_weights_it_has(device, tmp_path):
    network = get_model("resnet18", weights=None, num_classes=3).eval()
    torch.save(network.state_dict(), tmp_path / "resnet.pth")
    loaded = load_architecture({"name": "resnet18", "num_classes": 3}, tmp_path / "resnet.pth", device)
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images.to(device)).cpu(), network(images), atol=1e-4, rtol=1e-4)
    assert not loaded.training


@pytest.mark.parametrize(
    "architecture",
    [
        "mobilenet_v3_small",
        {"name": "lraspp_mobilenet_v3_large", "num_classes": 4},
        {"name": "ssdlite320_mobilenet_v3_large", "num_classes": 4},
    ],
    ids=["classifier", "segmenter", "detector"],
)
def test_each_kind_of_network_is_built_without_a_download(architecture, tmp_path):
    name = architecture if isinstance(architecture, str) else architecture["name"]
    arguments = {} if isinstance(architecture, str) else {"num_classes": 4}
    torch.save(build(name, arguments).state_dict(), tmp_path / "weights.pt")
    assert check_architecture(architecture) == architecture
    assert isinstance(load_architecture(architecture, tmp_path / "weights.pt", "cpu"), torch.nn.Module)


def test_a_network_that_cannot_be_made_without_memory_is_checked_all_the_same():
    check_architecture({"name": "regnet_y_400mf", "num_classes": 3})


def test_the_eps_of_torchvisions_detectors_can_be_given():
    model = build("ssdlite320_mobilenet_v3_large", {NORM_EPS: 0.0})
    assert {module.eps for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {0.0}


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("resnet5", "torchvision has no model 'resnet5'; the nearest are resnet50"),
        ({"name": "resnet50", "num_clases": 3}, "resnet50 takes no num_clases; it takes .*num_classes"),
        # whose class would swallow it
        ({"name": "mobilenet_v3_small", "num_clases": 3}, "mobilenet_v3_small takes no num_clases"),
        ({"name": "resnet50", "num_classes": "ten"}, "cannot be made with these arguments .TypeError"),
        ({"name": "resnet50", "weights": "DEFAULT"}, "resnet50 takes no weights"),
        (
            {"nam": "resnet50"},
            "the name of a torchvision model, timm/NAME, or a mapping of `name`",
        ),
        (5, "the name of a torchvision model, timm/NAME, or a mapping of `name`"),
    ],
)
def test_a_wrong_architecture_stops_the_load_and_says_what_there_is(architecture, message, make_context):
    context = make_context(config={"handler": {"architecture": architecture}})
    with pytest.raises(ValueError, match=rf"model-config\.yaml: handler\.architecture is .*: .*{message}"):
        BaseHandler().initialize(context)


def test_weights_of_another_number_of_classes_point_to_the_argument(tmp_path):
    torch.save(get_model("resnet18", weights=None, num_classes=3).state_dict(), tmp_path / "weights.pt")
    expected = (
        r"2 of another shape \(fc.weight \[3, 512\] in the file and \[1000, 512\] .*num_classes: \.\.\."
    )
    with pytest.raises(ValueError, match=expected):
        load_architecture("resnet18", tmp_path / "weights.pt", "cpu")


def test_weights_of_an_auxiliary_classifier_point_to_the_argument(tmp_path):
    network = get_model("fcn_resnet50", weights=None, weights_backbone=None, aux_loss=True)
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=r"unknown to it \(aux_classifier\..*aux_loss: \.\.\."):
        load_architecture("fcn_resnet50", tmp_path / "weights.pt", "cpu")


def test_an_architecture_without_weights_is_no_model(tmp_path, make_context):
    context = make_context(config={"handler": {"architecture": "resnet18"}})
    with pytest.raises(ValueError, match=r"the archive has no weights for it: .*--serialized-file"):
        BaseHandler().initialize(context)


def test_an_architecture_beside_a_model_file_is_refused(tmp_path, make_context):
    context = make_context(config={"handler": {"architecture": "resnet18"}}, modelFile="model.py")
    with pytest.raises(ValueError, match=r"a model file, model\.py, and handler\.architecture"):
        BaseHandler().initialize(context)


def test_a_trusted_whole_model_needs_no_architecture(tmp_path, make_context):
    torch.save(torch.nn.Linear(2, 1), tmp_path / "whole.pt")
    handler = BaseHandler()
    handler.initialize(
        make_context(tmp_path, config={"handler": {"trust_pickle": True}}, serializedFile="whole.pt")
    )
    assert isinstance(handler.model, torch.nn.Linear)
