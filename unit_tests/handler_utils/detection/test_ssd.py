"""What an SSD found, beside torchvision's own choice of it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection.ssd import SSD

from ts.handler_utils.detection import ssd
from ts.handler_utils.detection.ssd import SsdDetections, quicken_ssd

ANCHORS, CLASSES, SHAPE = 700, 11, (240, 320)


@pytest.fixture(scope="module")
def model() -> Any:
    network = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES).eval()
    quicken_ssd(network)
    return network


@pytest.fixture(autouse=True)
def settings(model: Any) -> None:
    """Those of the model are its own again for each test."""
    model.score_thresh, model.nms_thresh = 0.001, 0.55
    model.topk_candidates, model.detections_per_img = 300, 300


def asked(spread: float, images: int = 2) -> tuple[dict[str, torch.Tensor], list[torch.Tensor], Any]:
    """Made-up outputs of the heads, the anchors, and the images' sizes."""
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn(images, ANCHORS, CLASSES, generator=draw) * spread
    corners = torch.rand(ANCHORS, 2, 2, generator=draw) * torch.tensor([320.0, 240.0])
    anchors = torch.cat([corners.amin(1), corners.amax(1) + 2], dim=1)
    regression = torch.randn(images, ANCHORS, 4, generator=draw)
    outputs = {"cls_logits": logits, "bbox_regression": regression}
    return outputs, [anchors] * images, [SHAPE] * images


def assert_same(model: Any, *args: Any) -> int:
    """Both choose the very same; returns how many detections."""
    with torch.inference_mode():
        expected = SSD.postprocess_detections(model, *args)
        found = model.postprocess_detections(*args)
    assert len(found) == len(expected)
    for its, answer in zip(expected, found):
        assert list(answer) == list(its)
        for name, value in its.items():
            assert torch.equal(answer[name], value), name
            assert answer[name].dtype == value.dtype
    return sum(len(answer["boxes"]) for answer in found)


def test_an_ssd_is_found_inside_a_model(model: Any) -> None:
    inside = torch.nn.Sequential(copy.deepcopy(model))
    del inside[0].postprocess_detections
    quicken_ssd(inside)
    assert isinstance(inside[0].postprocess_detections, SsdDetections)


@pytest.mark.parametrize("spread", [0.3, 2.0, 5.0])
def test_the_detections_are_torchvisions(model: Any, spread: float) -> None:
    assert assert_same(model, *asked(spread)) == 600


def test_so_they_are_where_the_best_are_not_enough(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssd, "FIRST", 20)
    assert assert_same(model, *asked(2.0)) == 600
    model.detections_per_img = 10_000
    assert 600 < assert_same(model, *asked(2.0)) < 20_000


@pytest.mark.parametrize("most", [5, 150])
def test_of_a_class_no_more_are_looked_at(model: Any, most: int) -> None:
    model.topk_candidates, model.nms_thresh = most, 0.9
    assert assert_same(model, *asked(1.0)) >= 90


def test_thresholds_are_those_of_each_call(model: Any) -> None:
    model.score_thresh, model.detections_per_img = 0.2, 1000
    few = assert_same(model, *asked(2.0))
    model.score_thresh = 0.01
    assert 0 < few < assert_same(model, *asked(2.0))
    model.score_thresh = 1.0
    assert assert_same(model, *asked(2.0)) == 0
    model.detections_per_img = 7
    model.score_thresh = 0.001
    assert assert_same(model, *asked(2.0)) == 14


def test_numbers_that_are_none_are_no_detections(model: Any) -> None:
    outputs, anchors, shapes = asked(2.0)
    outputs["cls_logits"][0, ::2] = float("nan")
    assert assert_same(model, outputs, anchors, shapes) == 600


def test_gradients_flow(model: Any) -> None:
    outputs, anchors, shapes = asked(2.0, images=1)
    outputs["cls_logits"].requires_grad_()
    model.postprocess_detections(outputs, anchors, shapes)[0]["scores"].sum().backward()
    assert outputs["cls_logits"].grad.abs().sum() > 0


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model, 2))])
def test_copies_answer_by_torchvisions_code_and_their_own_settings(model: Any, copied: Any) -> None:
    other = copied(model)
    assert not isinstance(other.postprocess_detections, SsdDetections)
    other.detections_per_img = 3
    with torch.inference_mode():
        assert [len(each["boxes"]) for each in other.postprocess_detections(*asked(2.0))] == [3, 3]
        assert [len(each["boxes"]) for each in model.postprocess_detections(*asked(2.0))] == [300, 300]


def test_what_a_subclass_or_a_user_set_stays() -> None:
    class Own(SSD):
        def postprocess_detections(self, *_: Any) -> Any:
            return "its own"

    kind = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=2)
    kind.__class__ = Own
    quicken_ssd(kind)
    assert kind.postprocess_detections() == "its own"
    kind.__class__ = SSD
    kind.postprocess_detections = lambda *_: "set"
    quicken_ssd(kind)
    assert kind.postprocess_detections() == "set"
