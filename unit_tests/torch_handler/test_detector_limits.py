"""What a detector answers is bounded before it is made, and true: NaN is no detection that is left out."""

from __future__ import annotations

import io
import logging
import math
from typing import Any

import pytest
import torch
from detectors import Detections, make_detector, photo
from PIL import Image

from ts.handler_utils.detection import answers
from ts.handler_utils.images.settings import ObjectDetectorSettings


class Found(torch.nn.Module):
    """A detector that finds the same in each image, but for wide ones, where it finds something else too."""

    def __init__(self, found: dict[str, torch.Tensor], **changes: torch.Tensor) -> None:
        super().__init__()
        self.found, self.changed = found, {**found, **changes}

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        return [self.changed if image.shape[2] > 40 else self.found for image in images]


def things(count: int, **more: torch.Tensor) -> dict[str, torch.Tensor]:
    boxes = torch.tensor([1.0, 2.0, 30.0, 20.0]).repeat(count, 1)
    return {
        "boxes": boxes,
        "labels": torch.ones(count, dtype=torch.int64),
        "scores": torch.full((count,), 0.9),
        **more,
    }


def ask(model: torch.nn.Module, rows: list[dict[str, Any]], context: Any, **settings: Any) -> list[Any]:
    handler = make_detector(model)
    handler.settings = ObjectDetectorSettings(**settings)
    return handler.handle(rows, context)


def drawn_of(answer: bytes) -> Image.Image:
    return Image.open(io.BytesIO(answer))


# Untrue ------------------------------------------------------------------------------------------------------


def with_value(name: str, value: float) -> torch.Tensor:
    shapes = {"scores": (2,), "boxes": (2, 4), "masks": (2, 1, 30, 40), "keypoints": (2, 5, 3)}
    values = torch.full(shapes[name], 0.1)
    values[1].view(-1)[-1] = value
    return values


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["scores", "boxes", "masks", "keypoints"])
def test_what_is_not_finite_is_that_rows_503_and_its_neighbours_are_answered(
    name, value, make_context, caplog
):
    more = {name: with_value(name, 0.1)} if name in ("masks", "keypoints") else {}
    model, context = Found(things(2, **more), **{name: with_value(name, value)}), make_context()
    with caplog.at_level(logging.WARNING):
        answers = ask(model, [{"data": photo(width)} for width in (40, 50, 40)], context)
    assert context.statuses == {1: 503}
    assert answers[1]["message"] == "Prediction failed"
    assert answers[0] == answers[2] == ask(model, [{"data": photo()}], make_context())[0]
    assert len(answers[0]) == 2
    assert f"the model returned {name} that are not finite" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": torch.zeros(2, 5)},
        {"boxes": torch.zeros(3, 4)},
        {"boxes": torch.zeros(4)},
        {"scores": torch.ones(2, 1)},
        {"scores": torch.ones(1)},
        {"masks": torch.zeros(1, 1, 30, 40)},
        {"masks": torch.zeros(30, 40)},
        {"keypoints": torch.zeros(2, 3)},
    ],
    ids=lambda wrong: f"{next(iter(wrong))} {list(next(iter(wrong.values())).shape)}",
)
def test_what_has_another_shape_than_detections_is_that_rows_503(wrong, make_context, caplog):
    context = make_context()
    answers = ask(Found(things(2), **wrong), [{"data": photo()}, {"data": photo(50)}], context)
    assert context.statuses == {1: 503}
    assert len(answers[0]) == 2
    ((name, values),) = wrong.items()
    assert f"the model returned {name} of shape {list(values.shape)} with labels of shape [2]" in caplog.text


def test_no_detections_may_come_in_any_shape(make_context):
    nothing = {"boxes": torch.empty(0), "labels": torch.empty(0, dtype=torch.int64), "scores": torch.empty(0)}
    assert ask(Found(nothing), [{"data": photo()}], make_context()) == [[]]


# Drawn -------------------------------------------------------------------------------------------------------


def test_boxes_are_drawn_where_they_are_in_the_photo_and_answered_as_the_model_gave_them(make_context):
    box = [-1e9, 10.0, 1e9, 1e30]
    model = Found(things(1, boxes=torch.tensor([box])))
    rows = [{"data": photo(320, 240), "format": "overlay"}, {"data": photo(320, 240)}]
    picture, numbers = ask(model, rows, make_context())
    assert drawn_of(picture).size == (320, 240)
    assert drawn_of(picture).getpixel((300, 10)) != (100, 100, 100)  # the upper edge, which lies in the photo
    assert drawn_of(picture).getpixel((300, 200)) == (100, 100, 100)
    assert numbers[0]["cat"] == torch.tensor(box).tolist()


def test_more_detections_than_are_drawn_are_a_400_that_says_how_to_have_fewer(make_context):
    context = make_context()
    rows = [{"data": photo(), "format": "overlay", "topk": topk} for topk in ("6", "5")] + [{"data": photo()}]
    answers = ask(Found(things(9)), rows, context, max_drawn=5)
    assert context.statuses == {0: 400}
    assert answers[0]["message"] == (
        "Format overlay: 6 detections are too many to draw, and max_drawn is 5: raise the option threshold, set"
        " topk, or raise handler.max_drawn in model-config.yaml"
    )
    assert drawn_of(answers[1]).size == (40, 30)
    assert len(answers[2]) == 9


def test_a_picture_of_too_many_pixels_is_refused_before_the_photo_is_decoded(make_context):
    context = make_context()
    model = Detections()
    rows = [{"data": photo(100, 80), "format": "overlay"}, {"data": photo(100, 80)}]
    answers = ask(model, rows, context, max_answer_pixels=7999)
    assert context.statuses == {0: 413}
    assert answers[0]["message"].startswith(
        "The answer is too large: 100x80 pixels, and max_answer_pixels is 7999: ask for format json or coco,"
    )
    assert model.batches == [[(3, 80, 100)]]
    assert answers[1][0]["cat"] == [0.0, 0.0, 100.0, 80.0]


# Masks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "coco", "overlay"])
def test_masks_of_too_many_pixels_are_a_413(form, make_context):
    pytest.importorskip("pycocotools")
    context = make_context()
    model = Found(things(4, masks=torch.zeros(4, 1, 30, 40)))
    rows = [{"data": photo(), "format": form, "masks": "true", **more} for more in ({}, {"topk": "3"})]
    answers = ask(model, rows, context, max_mask_pixels=4000)
    assert context.statuses == {0: 413}
    assert answers[0]["message"] == (
        "The masks are too large: 4 of 40x30 pixels, and max_mask_pixels is 4000: raise the option threshold, set"
        " topk, send a smaller photo, or raise handler.max_mask_pixels in model-config.yaml"
    )


def test_masks_count_as_large_as_they_are_brought_to(make_context, monkeypatch):
    monkeypatch.setattr(answers, "in_photo", None)
    context, handler = make_context(), make_detector(Found(things(2, masks=torch.zeros(2, 1, 10, 10))))
    handler.settings = ObjectDetectorSettings(max_mask_pixels=200_000)
    handler.image_processing = handler.image_processing.replace(resize=[10, 10])
    handler.handle([{"data": photo(400, 300), "masks": "true"}], context)
    assert context.statuses == {0: 413}


def test_masks_that_are_not_asked_for_are_not_copied(make_context, monkeypatch):
    seen: list[set[str]] = []
    plain = answers.select_detections

    def select(detections: Any, **wanted: Any) -> Any:
        seen.append({*detections})
        return plain(detections, **wanted)

    monkeypatch.setattr(answers, "select_detections", select)
    ask(Found(things(2, masks=torch.zeros(2, 1, 30, 40))), [{"data": photo()}], make_context())
    assert seen == [{"boxes", "labels", "scores"}]


def test_run_lengths_are_refused_before_they_are_encoded(make_context, monkeypatch):
    coco = pytest.importorskip("pycocotools.mask", reason="masks need pycocotools")
    encoded = []
    plain = coco.frPyObjects
    monkeypatch.setattr(coco, "frPyObjects", lambda *arguments: encoded.append(1) or plain(*arguments))
    board = (torch.arange(40)[:, None] + torch.arange(41)) % 2.0
    model, context = Found(things(5, masks=board.expand(5, 1, 40, 41))), make_context()
    (answer,) = ask(model, [{"data": photo(), "masks": "true"}], context, max_answer_bytes=4000)
    assert context.statuses == {0: 413}
    assert "max_answer_bytes is 4000: raise the option threshold, or set topk" in answer["message"]
    assert len(encoded) == 2


# Classes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "classes",
    [
        "9" * 30,
        "9" * 5000,
        "x" * 1_000_000,
        "\u0663" * 30,
        ",".join(["x"] * 100_000),
        ",".join(map(str, range(100_000))),
        "[" * 100_000,
        "[" + "9" * 5000 + "]",
        '["' + "y" * 100_000 + '"]',
        "[[1]]",
        '[{"a": 1}]',
    ],
    ids=lambda classes: f"{classes[:6]} of {len(classes)}",
)
def test_classes_that_there_cannot_be_are_a_short_400(classes, detector, make_context):
    context = make_context()
    answers = detector.handle([{"data": photo(), "classes": classes}, {"data": photo()}], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"].startswith("Wrong option: classes")
    assert len(answers[0]["message"]) < 1100
    assert answers[1][0]["cat"] == [0.0, 0.0, 40.0, 30.0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64, torch.float32])
def test_classes_are_found_among_labels_of_any_type(dtype, make_context):
    model = Found(things(2, labels=torch.tensor([3, 4], dtype=dtype)))
    (answer,) = ask(model, [{"data": photo(), "classes": "4,300,4000000000"}], make_context())
    assert len(answer) == 1
