"""Networks by name: what torchvision knows of them is known, and the network computes what torchvision's does."""

from __future__ import annotations

import urllib.error

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torchvision.models import get_model, get_model_weights, list_models
from torchvision.models._api import WeightsEnum

from ts.handler_utils.models.formats.architecture import build, parsed, without_memory
from ts.runner.errors import ArchiveError
from ts.runner.packing.networks.named import named_network
from ts.runner.packing.networks.torchvision_library import (
    OF_OWN_WEIGHTS,
    default_classes,
    found_arguments,
)

NAME = "squeezenet1_1"


@pytest.fixture
def fine_tuned(tmp_path):
    """Weights of 5 classes, in a file; by its name."""

    def make(file="fine.pth", wrap=lambda state: state, network=NAME, classes=5):
        torch.manual_seed(1)
        state = build(network, {"num_classes": classes}).state_dict()
        path = tmp_path / file
        save_file(state, path) if path.suffix == ".safetensors" else torch.save(wrap(state), path)
        return str(path)

    return make


def test_weights_by_name_bring_their_transform_and_labels(cached):
    cached(NAME)
    network = named_network(NAME, "IMAGENET1K_V1")
    weights = get_model_weights(NAME).DEFAULT
    assert network.architecture == NAME
    assert network.handler == "image_classifier"
    assert network.settings["resize"] == 256
    assert network.settings["crop"] == 224
    assert [network.labels[str(index)] for index in range(1000)] == weights.meta["categories"]
    assert network.classes == 1000
    images = torch.rand(1, 3, 64, 64)
    theirs = get_model(NAME, weights=weights).eval()
    torch.testing.assert_close(network.module(images), theirs(images), atol=0, rtol=0)


@pytest.mark.parametrize("weights", [None, "DEFAULT", "SqueezeNet1_1_Weights.DEFAULT", "imagenet1k_v1"])
def test_weights_have_several_names(cached, weights):
    cached(NAME)
    assert named_network(NAME, weights).origin == "SqueezeNet1_1_Weights.IMAGENET1K_V1"


@pytest.mark.parametrize(
    ("file", "wrap"),
    [
        ("fine.pth", lambda state: state),
        ("fine.safetensors", None),
        ("last.ckpt", lambda state: {"epoch": 3, "state_dict": state}),
        ("parallel.pt", lambda state: {f"module.{name}": value for name, value in state.items()}),
        (
            "lightning.ckpt",
            lambda state: {"state_dict": {f"model.{key}": value for key, value in state.items()}},
        ),
    ],
    ids=["state dict", "safetensors", "checkpoint", "wrapped", "a wrapped one in a checkpoint"],
)
def test_a_file_says_how_many_classes_its_weights_are_of(fine_tuned, file, wrap):
    network = named_network(NAME, fine_tuned(file, wrap))
    assert network.architecture == {"name": NAME, "num_classes": 5}
    assert network.labels is None
    assert network.settings["crop"] == 224
    torch.manual_seed(1)
    expected = build(NAME, {"num_classes": 5}).state_dict()
    found = network.module.state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_file_of_as_many_classes_has_the_labels_of_the_default_weights(fine_tuned):
    network = named_network(NAME, fine_tuned(classes=1000))
    assert network.architecture == NAME
    assert network.labels["7"] == "cock"


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("resnet18", 5),
        ("mobilenet_v3_small", 3),
        ("densenet121", 2),
        ("vit_b_16", 7),
        ("lraspp_mobilenet_v3_large", 4),
        ("deeplabv3_mobilenet_v3_large", 3),
        ("ssdlite320_mobilenet_v3_large", 3),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", 2),
        ("fcos_resnet50_fpn", 11),
        ("retinanet_resnet50_fpn", 6),
        ("maskrcnn_resnet50_fpn", 2),
    ],
)
def test_the_classes_of_every_kind_of_network_are_told_by_shapes(name, classes):
    weights = without_memory(name, {"num_classes": classes}).state_dict()
    assert found_arguments(name, weights, default_classes(name))["num_classes"] == classes


def test_heads_that_training_alone_uses_are_left_out(cached):
    cached("googlenet")
    network = named_network("googlenet")
    assert network.architecture == {"name": "googlenet", "transform_input": True, "aux_logits": False}
    assert not [name for name in network.module.state_dict() if name.startswith("aux")]
    module = build(*parsed(network.architecture)).eval()
    module.load_state_dict(network.module.state_dict())
    images = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(module(images), network.module(images), atol=0, rtol=0)


def test_a_segmenters_head_for_training_is_left_out(cached):
    cached("fcn_resnet50", aux_loss=True)
    network = named_network("fcn_resnet50")
    assert network.architecture == "fcn_resnet50"
    assert network.handler == "image_segmenter"
    assert network.settings["crop"] is None
    assert network.labels["8"] == "cat"


def test_a_detector_has_cocos_labels_with_their_indexes(cached):
    cached("ssdlite320_mobilenet_v3_large")
    network = named_network("ssdlite320_mobilenet_v3_large")
    assert (network.handler, network.settings) == ("object_detector", {})
    assert (network.labels["0"], network.labels["17"], len(network.labels)) == ("__background__", "cat", 91)


def test_what_no_state_dict_tells_is_what_torchvision_itself_sets(monkeypatch):
    def weights_of_a_new_one(weights, *_, **__):
        return states[weights]

    states, found = {}, {}
    monkeypatch.setattr(WeightsEnum, "get_state_dict", weights_of_a_new_one)
    with torch.device("meta"):
        for name in [*list_models(torchvision.models.detection), "googlenet", "inception_v3", "resnet18"]:
            weights = get_model_weights(name).DEFAULT
            states[weights] = build(name, {}).state_dict()
            theirs = get_model(name, weights=weights)
            if {part.eps for part in theirs.modules() if "BatchNorm" in type(part).__name__} == {0.0}:
                found[name] = {"batch_norm_eps": 0.0}
            if getattr(theirs, "transform_input", False):
                found[name] = {"transform_input": True}
    assert found == OF_OWN_WEIGHTS


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("resnet5", None, "torchvision has no model 'resnet5'; the nearest are resnet50"),
        (
            NAME,
            "IMAGENET1K_V2",
            "is no file, and none of the network's weights: IMAGENET1K_V1, DEFAULT; did you",
        ),
        (NAME, "ResNet18_Weights.IMAGENET1K_V1", "none of the network's weights: IMAGENET1K_V1"),
        (NAME, "absent.pth", "--weights absent.pth is no file"),
        ("quantized_resnet50", None, "torchvision.models.quantization.resnet, and handlers serve"),
        ("r3d_18", None, "torchvision.models.video.resnet, and handlers serve networks of images"),
        ("raft_small", None, "optical_flow"),
    ],
)
def test_what_cannot_be_packed_is_refused(name, weights, message):
    with pytest.raises(ArchiveError, match=message):
        named_network(name, weights)


def test_weights_of_another_network_are_refused(fine_tuned):
    with pytest.raises(
        ArchiveError, match=r"fine\.pth does not fit the network SqueezeNet.*Are they weights of"
    ):
        named_network("squeezenet1_0", fine_tuned(network="resnet18"))


def test_an_argument_that_is_given_wins_over_what_is_found_out(cached):
    cached("googlenet")
    network = named_network("googlenet", None, {"transform_input": False})
    assert network.architecture["transform_input"] is False
    assert network.module.transform_input is False


def test_a_download_that_fails_is_one_sentence(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    message = (
        r"SqueezeNet1_1_Weights\.IMAGENET1K_V1 cannot be downloaded from https.*: .*no network.*--weights"
    )
    with pytest.raises(ArchiveError, match=message):
        named_network(NAME)


def test_a_download_is_told_with_its_size(tmp_path, monkeypatch, caplog):
    def download(url, path, digest, progress):
        assert digest == "b8a52dc0"  # of squeezenet1_1-b8a52dc0.pth
        torch.save(build(NAME, {}).state_dict(), path)

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert named_network(NAME).classes == 1000
    assert (
        "downloading SqueezeNet1_1_Weights.IMAGENET1K_V1 (4.729 MB) from https://download.pytorch.org"
        in caplog.text
    )
