"""The faster code of torchvision's detectors on a CPU: the answers of the whole family are as without it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.models import get_model
from torchvision.ops import FrozenBatchNorm2d, box_iou

from ts.torch_handler.object_detector import ObjectDetector

SMALL = {"min_size": 128, "max_size": 160}
RCNNS = {**SMALL, "rpn_post_nms_top_n_test": 40}
FAMILY = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": RCNNS,
    "fasterrcnn_resnet50_fpn": RCNNS,
    "fasterrcnn_resnet50_fpn_v2": RCNNS,
    "retinanet_resnet50_fpn": SMALL,
    "retinanet_resnet50_fpn_v2": SMALL,
    "fcos_resnet50_fpn": SMALL,
    "ssd300_vgg16": {},
    "ssdlite320_mobilenet_v3_large": {},
    "maskrcnn_resnet50_fpn": RCNNS,
    "keypointrcnn_resnet50_fpn": {**RCNNS, "num_classes": 2},
}


def network(name: str) -> Any:
    """A detector of random weights, whose norms know the features that they see."""
    torch.manual_seed(4)
    model = get_model(name, weights=None, weights_backbone=None, **{"num_classes": 4, **FAMILY[name]}).eval()
    norms = [part for part in model.modules() if isinstance(part, (nn.BatchNorm2d, FrozenBatchNorm2d))]
    hooks = [norm.register_forward_pre_hook(take_statistics) for norm in norms]
    with torch.no_grad():
        model(noise())
    for hook in hooks:
        hook.remove()
    return model


def take_statistics(norm: Any, inputs: tuple[torch.Tensor, ...]) -> None:
    norm.running_mean.copy_(inputs[0].mean(dim=(0, 2, 3)))
    norm.running_var.copy_(inputs[0].var(dim=(0, 2, 3), unbiased=False) + 0.1)


def noise() -> list[torch.Tensor]:
    """Images of three sizes."""
    generator = torch.Generator().manual_seed(5)
    return [torch.rand(3, *size, generator=generator) for size in ((100, 140), (150, 110), (64, 64))]


def initialized(model: Any, kind: type[ObjectDetector], make_context: Any, folder: Any) -> Any:
    (folder / "index_to_name.json").write_text(
        json.dumps({str(index): f"kind {index}" for index in range(4)})
    )
    (folder / "model.py").write_text("")
    kind = type(kind.__name__, (kind,), {"_load_pickled_model": lambda *_: model})
    kind.__module__ = "ts.torch_handler.object_detector" if kind.__base__ is ObjectDetector else __name__
    handler = kind()
    handler.initialize(make_context(folder, modelFile="model.py"))
    return handler


@pytest.fixture
def answering(make_context: Any, tmp_path: Any) -> Any:
    return lambda model, kind=ObjectDetector: initialized(model, kind, make_context, tmp_path)


def quickened(model: Any) -> list[str]:
    return [name for name, part in model.named_modules() if part._compiled_call_impl is not None]


def assert_alike(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    """Nearly all of the same detections: which of two of nearly one score is left out may be rounding's to say."""
    assert found.keys() == expected.keys()
    count = len(expected["boxes"])
    assert abs(len(found["boxes"]) - count) <= 0.02 * count
    alike = box_iou(expected["boxes"], found["boxes"]) > 0.999
    alike &= expected["labels"][:, None] == found["labels"]
    alike &= (expected["scores"][:, None] - found["scores"]).abs() < 1e-4
    assert alike.any(dim=1).sum() >= 0.98 * count


# The others have the backbones and heads of these.
LONG = ("retinanet_resnet50_fpn_v2", "maskrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in LONG else ()) for name in FAMILY]
)
def test_each_part_computes_what_the_models_own_does(name: str, answering: Any) -> None:
    model = network(name)
    alone, state = copy.deepcopy(model), list(model.state_dict())
    handler = answering(model)
    parts = quickened(model)
    assert "backbone" in parts
    calls: list[tuple[str, tuple[Any, ...], Any]] = []
    for part in parts:
        alone.get_submodule(part).register_forward_hook(
            lambda _, inputs, output, part=part: calls.append((part, inputs, output))
        )
    images = noise()
    with torch.inference_mode():
        for batch in (images[:1], images):
            alone(batch)
            handler.inference(batch)
        exactly = copy.deepcopy(alone).double()  # with the hooks, too, whose calls are none of those here
        for part, inputs, expected in list(calls):
            exact = exactly.get_submodule(part)(*doubled(inputs))
            assert_near(model.get_submodule(part)(*inputs), expected, exact)
    assert {part for part, *_ in calls} == {*parts}
    assert quickened(model) == parts
    assert list(model.state_dict()) == state


def assert_near(found: Any, expected: Any, exact: Any) -> None:
    """Within 1e-4 of the largest number, or twice what the model's own code is off in float32."""
    if isinstance(expected, torch.Tensor):
        assert found.is_contiguous()  # code that follows may take a `view`
        own = (expected - exact).abs().max()
        assert (found - exact).abs().max() <= max(1e-4 * expected.abs().max().clamp(min=1e-3), 2 * own)
        return
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert_near(found[name], value, exact[name])


def doubled(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {name: doubled(each) for name, each in value.items()}
    return type(value)(map(doubled, value)) if isinstance(value, (list, tuple)) else value


RCNN = "fasterrcnn_mobilenet_v3_large_320_fpn"


class Changed(ObjectDetector):
    """Sets what its model keeps, after the load, as many do."""

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        self.model.roi_heads.score_thresh = 0.3
        self.model.roi_heads.detections_per_img = 5
        self.model.backbone.fpn.layer_blocks[0][0].weight.data.mul_(1.5)


def test_the_detections_are_those_of_the_model_alone(answering: Any) -> None:
    model = network(RCNN)
    alone, handler = copy.deepcopy(model), answering(model)
    images, count = noise(), 0
    for batch in (images[:1], images, images[1:2]):
        with torch.inference_mode():
            expected = alone(batch)
        for found, its in zip(handler.inference(batch), expected):
            assert_alike(found, its)
            count += len(its["boxes"])
    assert count > 20


def test_a_subclass_may_change_its_model(answering: Any) -> None:
    handler = answering(network(RCNN), Changed)
    assert quickened(handler.model) == []
    alone = copy.deepcopy(handler.model)
    with torch.inference_mode():
        expected = alone(noise())
    found = handler.inference(noise())
    assert "backbone" in quickened(handler.model)
    assert [len(item["boxes"]) for item in found] == [len(item["boxes"]) for item in expected]
    for item, its in zip(found, expected):
        assert_alike(item, its)
        assert len(item["boxes"]) <= 5


def test_thresholds_set_later_are_in_force(answering: Any) -> None:
    handler = answering(network(RCNN))
    assert max(len(found["boxes"]) for found in handler.inference(noise())) > 2
    handler.model.roi_heads.detections_per_img = 2
    assert max(len(found["boxes"]) for found in handler.inference(noise())) == 2


def test_gradients_reach_the_photo(answering: Any) -> None:
    handler = answering(network(RCNN))
    images = [image.requires_grad_() for image in noise()]
    handler.inference(noise())
    sum(found["scores"].sum() for found in handler.model(images)).backward()
    assert images[0].grad.abs().sum() > 0


def test_with_frozen_false_the_model_answers_itself(make_context: Any, tmp_path: Any) -> None:
    model = network(RCNN)
    handler = ObjectDetector()
    handler._load_pickled_model = lambda *_: model
    (tmp_path / "index_to_name.json").write_text("{}")
    (tmp_path / "model.py").write_text("")
    context = make_context(tmp_path, modelFile="model.py")
    context.model_yaml_config = {"handler": {"frozen": False}}
    handler.initialize(context)
    handler.inference(noise())
    assert quickened(model) == []
