"""A module at hand is known by its parts: the network that its name makes computes the same."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torchvision.models import get_model

from ts.handler_utils.models.formats.architecture import build, parsed
from ts.runner.packing.networks.recognition import kind_of, recognized


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("squeezenet1_0", {}),
        ("resnet34", {}),
        ("mobilenet_v3_small", {"num_classes": 3}),
        ("shufflenet_v2_x0_5", {"num_classes": 2}),
        ("googlenet", {"transform_input": True, "aux_logits": False}),
        ("lraspp_mobilenet_v3_large", {"num_classes": 4}),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", {"num_classes": 3, "batch_norm_eps": 0.0}),
    ],
)
def test_a_network_of_torchvision_is_known_by_its_parts(name, arguments):
    with torch.device("meta"):
        module = build(name, arguments)
    found, found_arguments = parsed(recognized(module))
    assert (found, found_arguments) == (name, arguments)


def test_networks_of_other_arguments_or_parts_are_not():
    small = get_model("squeezenet1_1", weights=None)
    small.classifier[0].p = 0.1  # of dropout, which does nothing any more
    assert recognized(small) == "squeezenet1_1"
    small.features[1] = torch.nn.GELU()
    assert recognized(small) is None
    hooked = get_model("squeezenet1_1", weights=None)
    hooked.register_forward_hook(lambda *_: None)
    assert recognized(hooked) is None
    with torch.device("meta"):
        name = "fasterrcnn_mobilenet_v3_large_320_fpn"
        sure = get_model(name, weights=None, weights_backbone=None, box_score_thresh=0.9)
    assert recognized(sure) is None
    assert recognized(torch.nn.Linear(2, 1)) is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("timm/test_vit.r160_in1k", {}),
        ("timm/test_resnet.r160_in1k", {"num_classes": 3}),
        ("timm/test_resnet.r160_in1k", {"num_classes": 3, "in_chans": 1}),
        ("timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", {"img_size": 96}),
    ],
)
def test_a_network_of_timm_is_known_by_its_own_words(name, arguments):
    pytest.importorskip("timm", reason="needs timm")
    module = build(name, {**arguments, "drop_path_rate": 0.1})
    assert parsed(recognized(module)) == (name, arguments)


def test_kinds_have_their_handlers():
    with torch.device("meta"):
        assert kind_of(get_model("resnet18", weights=None)) == "image_classifier"
        assert kind_of(build("fcn_resnet50", {})) == "image_segmenter"
        assert kind_of(build("ssd300_vgg16", {})) == "object_detector"
        assert kind_of(torchvision.models.video.r3d_18()) is None
        assert kind_of(torch.nn.Linear(2, 1)) is None
