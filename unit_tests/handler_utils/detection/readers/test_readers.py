"""Readers of detectors' outputs: what each takes out of one, and which is chosen for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ts.handler_utils.detection.readers.registry import choose_reader, find_reader, read_as

CLASSES = 3


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def centred(boxes: int, images: int = 2) -> Tensor:
    """Boxes in pixels of an input of 640: cx, cy, w, h."""
    return random(images, boxes, 4) * 600 + 20


def corners(boxes: int, images: int = 2) -> Tensor:
    x, y, width, height = centred(boxes, images).unbind(-1)
    return torch.stack([x, y, x + width, y + height], dim=-1)


def yolov5() -> Tensor:
    return torch.cat([centred(120), random(2, 120, 1 + CLASSES, seed=1)], dim=-1)


def yolov8() -> Tensor:
    return torch.cat([centred(120), random(2, 120, CLASSES, seed=1)], dim=-1).transpose(1, 2)


def yolov10() -> Tensor:
    classes = torch.arange(40).remainder(7).float().expand(2, 40)[..., None]
    return torch.cat([corners(40), random(2, 40, 1, seed=1), classes], dim=-1)


def retinanet() -> list[Tensor]:
    return [corners(50), random(2, 50, CLASSES, seed=1)]


def ssd() -> list[Tensor]:
    return [random(2, 50, 1 + CLASSES, seed=1).mul(5).softmax(-1), corners(50)]


def efficientnms() -> list[Tensor]:
    counts = torch.tensor([[3], [0]], dtype=torch.int32)
    classes = torch.tensor([[2, 0, 1, -1], [-1] * 4], dtype=torch.int32)
    return [counts, corners(4), random(2, 4, seed=1), classes]


OUTPUTS = {
    "yolov5": yolov5(),
    "yolov8": yolov8(),
    "yolov10": yolov10(),
    "retinanet": retinanet(),
    "ssd": ssd(),
    "efficientnms": efficientnms(),
}


def read(name: str, output: Any) -> list[dict[str, Tensor]]:
    reader, tensors = read_as(name, output)
    return reader.detections(tensors)


def lists(image: dict[str, Tensor]) -> list[tuple[int, float, list[float]]]:
    """Detections as label, score and box, the best first."""
    rows = zip(image["labels"].tolist(), image["scores"].tolist(), image["boxes"].tolist())
    return sorted(rows, key=lambda row: -row[1])


def approximately(rows: list[tuple[int, float, list[float]]]) -> Any:
    rows = sorted(rows, key=lambda row: -row[1])
    return [(label, pytest.approx(score), pytest.approx(box, abs=1e-3)) for label, score, box in rows]


def from_centre(row: list[float]) -> list[float]:
    x, y, width, height = row[:4]
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


# Which reader ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_is_read_by_its_looks(name: str) -> None:
    assert choose_reader(OUTPUTS[name]).name == name


@pytest.mark.parametrize("name", OUTPUTS)
def test_names_of_outputs_do_not_count(name: str) -> None:
    if isinstance(OUTPUTS[name], list):
        named = {f"output{index}": tensor for index, tensor in enumerate(OUTPUTS[name])}
        assert choose_reader(named).name == name


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("yolov5", torch.cat([centred(252), random(2, 252, 2)], dim=-1)),  # a single class
        ("yolov8", torch.cat([centred(84), random(2, 84, 1)], dim=-1).transpose(1, 2)),
        ("yolov8", torch.cat([centred(84), random(2, 84, 2)], dim=-1).transpose(1, 2)),  # six rows
        ("yolov10", torch.zeros(1, 300, 6)),  # nothing found
        ("yolov5", torch.full((1, 25200, 85), float("nan"))),
        ("yolov8", torch.full((1, 84, 8400), float("nan"))),
        ("yolov5", yolov5()[:, :3]),  # fewer boxes than values
        ("yolov8", yolov8()[..., :3]),
        ("yolov5", (yolov5(), [torch.zeros(1, 3, 8, 8, 8)])),  # as an eager network returns it
        ("yolov8", (yolov8(), [torch.zeros(1, 67, 8, 8)])),
        ("yolov10", (yolov10(), {"one2one": None})),
        ("yolov8", [yolov8()]),
        ("yolov10", [yolov10()[0], yolov10()[1, :3]]),  # a tensor an image
        ("yolov10", [torch.zeros(0, 6)]),
        ("retinanet", [corners(50), random(2, 50, 1)]),
        ("retinanet", [random(2, 50, 4), corners(50)]),  # four classes
        ("efficientnms", [corners(4), random(2, 4), torch.zeros(2, 4)]),
        ("efficientnms", [torch.tensor([[3.0, 1, 2, 0]] * 2), corners(4), random(2, 4)]),
        ("torchvision", [torch.tensor([3, 1]), torch.tensor([0.5, 0.25]), torch.zeros(2, 4)]),
    ],
)
def test_what_is_unlike_the_usual_is_read_too(name: str, output: Any) -> None:
    assert choose_reader(output).name == name


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (torch.zeros(2, 7), r"a tensor \[2, 7\]"),
        (yolov8() * 5, r"a tensor \[2, 7, 120\]"),  # logits
        (torch.cat([random(1, 300, 4), random(1, 300, 80)], dim=-1), r"a tensor \[1, 300, 84\]"),  # RT-DETR's
        (
            [torch.zeros(1, 116, 8400), torch.zeros(1, 32, 160, 160)],
            r"\[1, 116, 8400\] and \[1, 32, 160, 160\]",
        ),
        (torch.cat([random(1, 7, 4), random(1, 7, 3)], dim=-1).transpose(1, 2), r"a tensor \[1, 7, 7\]"),
        ([corners(50).flip(-1), random(2, 50, 3)], r"\[2, 50, 4\] and \[2, 50, 3\]"),
        ({"loss": None}, "a dict with loss a NoneType"),
        ("text", "a str"),
    ],
)
def test_what_no_reader_is_for_is_said_with_what_readers_read(output: Any, shown: str) -> None:
    with pytest.raises(
        TypeError, match=rf"returned .*{shown}.*nothing that detectors.*\[N, 4 \+ classes, boxes\]"
    ):
        choose_reader(output)


def test_a_name_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no reader 'yolo88' of detectors' outputs; the nearest is 'yolov8'"):
        find_reader("yolo88")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("RT-DETR", "rtdetr"),
        ("rt_detr", "rtdetr"),
        ("YOLOv8", "yolov8"),
        ("yolov11", "yolov8"),
        ("yolo5", "yolov5"),
    ],
)
def test_names_may_be_written_as_people_write_them(written: str, name: str) -> None:
    assert find_reader(written).name == name


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_reader_of_another_form_says_what_it_reads_and_what_was_found(name: str) -> None:
    with pytest.raises(TypeError, match=rf"output: {name} reads .*; the detector returned a tensor \[3\]"):
        read(name, torch.zeros(3))


# What it reads -----------------------------------------------------------------------------------------------


def test_yolov5_multiplies_objectness_by_the_best_class() -> None:
    output = OUTPUTS["yolov5"]
    for rows, found in zip(output.tolist(), read("yolov5", output)):
        best = [max(range(CLASSES), key=lambda label: row[5 + label]) for row in rows]
        expected = [(label, row[4] * row[5 + label], from_centre(row)) for row, label in zip(rows, best)]
        assert lists(found) == approximately(expected)


def test_yolov8_has_a_column_a_box() -> None:
    output = OUTPUTS["yolov8"]
    for columns, found in zip(output.tolist(), read("yolov8", output)):
        rows = [list(row) for row in zip(*columns)]
        best = [max(range(CLASSES), key=lambda label: row[4 + label]) for row in rows]
        expected = [(label, row[4 + label], from_centre(row)) for row, label in zip(rows, best)]
        assert lists(found) == approximately(expected)


def test_yolov10_has_a_row_an_object() -> None:
    output = OUTPUTS["yolov10"]
    for rows, found in zip(output.tolist(), read("yolov10", output)):
        assert lists(found) == approximately([(int(row[5]), row[4], row[:4]) for row in rows])


@pytest.mark.parametrize(("name", "first"), [("retinanet", 0), ("ssd", 1)])
def test_anchors_find_each_class_but_none(name: str, first: int) -> None:
    output = OUTPUTS[name]
    boxes, scores = sorted(output, key=lambda tensor: tensor.max(), reverse=True)
    for image, found in enumerate(read(name, output)):
        expected = [
            (label, row[label], boxes[image][place].tolist())
            for place, row in enumerate(scores[image].tolist())
            for label in range(first, len(row))
        ]
        assert lists(found) == approximately(expected)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 3, 1]])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64, torch.float32])
def test_suppressed_detections_are_those_that_count(order: list[int], dtype: torch.dtype) -> None:
    counts, boxes, scores, classes = OUTPUTS["efficientnms"]
    parts = [counts.to(dtype), boxes, scores, classes.to(dtype)]
    first, second = read("efficientnms", [parts[index] for index in order])
    assert first["labels"].tolist() == [2, 0, 1]
    assert torch.equal(first["boxes"], boxes[0, :3])
    assert torch.equal(first["scores"], scores[0, :3])
    assert second["labels"].tolist() == []


def test_the_count_leaves_out_what_is_beyond_it() -> None:
    _, boxes, scores, classes = OUTPUTS["efficientnms"]
    first, _ = read("efficientnms", [torch.tensor([[1], [0]]), boxes, scores, classes.abs()])
    assert first["labels"].tolist() == [2]


@pytest.mark.parametrize(
    "name", ["yolov5", "yolov8", "yolov10", "retinanet", "ssd", "efficientnms", "detr", "rtdetr"]
)
def test_half_precision_is_read_as_floats(name: str) -> None:
    output = OUTPUTS.get(name, [random(2, 9, 5), random(2, 9, 4)])
    halves = [tensor.half() if tensor.is_floating_point() else tensor for tensor in [*output]]
    (found, _) = read(name, output.half() if isinstance(output, Tensor) else halves)
    assert found["boxes"].dtype == found["scores"].dtype == torch.float32
    assert found["labels"].dtype == torch.int64


def test_a_class_that_is_no_number_is_a_score_that_is_none() -> None:
    output = OUTPUTS["yolov10"].clone()
    output[0, 3, 5] = float("nan")
    first, second = read("yolov10", output)
    assert first["scores"].isnan().sum() == 1
    assert not second["scores"].isnan().any()
