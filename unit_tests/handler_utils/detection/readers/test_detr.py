"""DETR's descendants, beside transformers' own post-processing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from ts.handler_utils.detection.readers.registry import Reader, choose_reader, find_reader, read_as

SIZES = torch.tensor([[200, 300], [48, 64]])  # heights and widths of photos
SCALES = SIZES.flip(1).repeat(1, 2)

PROCESSORS = {
    "detr": "DetrImageProcessor",
    "yolos": "YolosImageProcessor",
    "rtdetr": "RTDetrImageProcessor",
    "deformable_detr": "DeformableDetrImageProcessor",
    "conditional_detr": "ConditionalDetrImageProcessor",
}


def output(classes: int = 5, queries: int = 120) -> SimpleNamespace:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, queries, classes, generator=generator) * 4
    return SimpleNamespace(logits=logits, pred_boxes=torch.rand(2, queries, 4, generator=generator))


def read(name: str, returned: Any) -> list[dict[str, torch.Tensor]]:
    reader, tensors = read_as(name, returned)
    return reader.detections(tensors)


def rows(boxes: torch.Tensor, labels: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Detections as one tensor, in an order of their own."""
    found = torch.cat([scores[:, None], labels[:, None].float(), boxes], dim=1)
    return found[found[:, 0].argsort(stable=True)]


@pytest.mark.parametrize("name", PROCESSORS)
@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_detections_are_those_of_transformers(name: str, threshold: float) -> None:
    transformers = pytest.importorskip("transformers")
    processor = getattr(transformers, PROCESSORS[name])()
    returned = output()
    theirs = processor.post_process_object_detection(returned, threshold, SIZES)
    for ours, expected, scale in zip(read(name, returned), theirs, SCALES):
        kept = ours["scores"] > threshold
        boxes = ours["boxes"][kept] * scale
        torch.testing.assert_close(
            rows(boxes, ours["labels"][kept], ours["scores"][kept]),
            rows(expected["boxes"], expected["labels"], expected["scores"]),
            atol=1e-4,
            rtol=1e-6,
        )


@pytest.mark.parametrize("name", ["detr", "rtdetr"])
def test_outputs_come_as_an_object_a_mapping_or_a_pair_in_any_order(name: str) -> None:
    returned = output()
    expected = read(name, returned)
    logits, boxes = returned.logits, returned.pred_boxes
    forms = [{"logits": logits, "pred_boxes": boxes}, {"pred_logits": logits, "pred_boxes": boxes, "aux": []}]
    for form in (*forms, (logits, boxes), [boxes, logits]):
        for ours, theirs in zip(read(name, form), expected):
            assert all(torch.equal(ours[entry], theirs[entry]) for entry in ("boxes", "labels", "scores"))


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("DetrObjectDetectionOutput", "detr"),
        ("YolosObjectDetectionOutput", "yolos"),
        ("RTDetrV2ObjectDetectionOutput", "rtdetr"),
        ("DFineObjectDetectionOutput", "rtdetr"),
        ("DeformableDetrObjectDetectionOutput", "deformable_detr"),
        ("ConditionalDetrObjectDetectionOutput", "deformable_detr"),
    ],
)
def test_the_class_of_an_output_says_how_it_is_read(family: str, name: str) -> None:
    returned = type(family, (SimpleNamespace,), {})(**vars(output()))
    assert choose_reader(returned) is find_reader(name)


@pytest.mark.parametrize("form", [vars(output()), tuple(vars(output()).values())])
def test_where_nothing_says_so_the_setting_is_asked_for(form: Any) -> None:
    message = (
        r"\[2, 120, 5\] and .*\[2, 120, 4\], which may be the output of detr or rtdetr or deformable_detr"
    )
    with pytest.raises(TypeError, match=message):
        choose_reader(form)


def test_queries_and_boxes_of_other_numbers_are_no_pair() -> None:
    reader: Reader = find_reader("detr")
    assert reader.tensors({"logits": torch.zeros(1, 5, 3), "pred_boxes": torch.zeros(1, 6, 4)}) is None
    with pytest.raises(TypeError, match=r"output: detr reads logits \[N, queries, classes \+ 1\]"):
        read("detr", torch.zeros(1, 5, 3))
