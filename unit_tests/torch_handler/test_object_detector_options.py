"""What a request asks an object detector for: its options, beside the settings, and the formats of answers."""

from __future__ import annotations

import io

import pytest
import torch
from detectors import Detections, make_detector, photo
from PIL import Image

from ts.torch_handler.object_detector import ObjectDetector


def classes_of(answer: list) -> list[str]:
    return [item["category_name"] for item in answer]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, ["cat", "score"]),
        ({"threshold": "0.8"}, ["cat"]),
        ({"threshold": "0"}, ["cat", "score", "3"]),
        ({"topk": "1"}, ["cat"]),
        ({"topk": "9"}, ["cat", "score"]),
        ({"classes": "Score, 3", "threshold": "0"}, ["score", "3"]),
        ({"classes": '["cat", 3]', "threshold": "0"}, ["cat", "3"]),
        ({"classes": "score", "topk": "1"}, ["score"]),
    ],
)
def test_each_request_of_a_batch_chooses_its_detections(options, found, detector, make_context):
    rows = [{"data": photo(), "format": "coco"}, {"data": photo(), "format": b"coco", **options}]
    answers = detector.handle(rows, make_context())
    assert classes_of(answers[0]) == ["cat", "score"]
    assert classes_of(answers[1]) == found


def test_options_of_a_raw_body_come_in_headers(detector, make_context):
    context = make_context(headers={0: {"ts-threshold": "0.8"}})
    assert len(detector.handle([{"body": photo()}], context)[0]) == 1


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("threshold", "1.5", "threshold: Input should be less than or equal to 1, but it is '1.5'"),
        ("threshold", "nan", "threshold: Input should be"),
        ("topk", "0", "topk: Input should be greater than or equal to 1, but it is '0'"),
        ("format", "xml", "format: Input should be 'json', 'coco' or 'overlay', but it is 'xml'"),
        ("classes", "cats", "classes: there is no class 'cats'; the nearest is 'cat'"),
        ("classes", "", "classes: Value should have at least 1 item"),
        (
            "classes",
            '["cat"',
            "classes is '[\"cat\"': Input should be names separated by commas, or a JSON list",
        ),
        ("masks", "true", "masks: this model gives no masks"),
        ("keypoints", "true", "keypoints: this model gives no keypoints"),
    ],
)
def test_a_wrong_option_is_a_400_that_says_what_is_allowed(option, value, message, detector, make_context):
    context = make_context()
    answers = detector.handle([{"data": photo(), option: value}, {"data": photo()}], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"].startswith(f"Wrong option: {message}")
    assert len(answers[1]) == 2


def test_settings_win_over_class_attributes(faster_rcnn_folder, make_context):
    class Sure(ObjectDetector):
        threshold = 0.95

    handler = Sure()
    config = {"handler": {"threshold": 0.1, "topk": 3, "classes": ["dog", 3], "format": "coco"}}
    handler.initialize(make_context(faster_rcnn_folder, modelFile="model.py", config=config))
    assert handler.threshold == 0.1
    (answer,) = handler.postprocess(
        [
            {
                "boxes": torch.zeros(5, 4),
                "labels": torch.tensor([1, 2, 3, 2, 2]),
                "scores": torch.full((5,), 0.2),
            }
        ]
    )
    assert classes_of(answer) == ["dog", "sheep", "dog"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 2}, r"handler\.threshold: Input should be less than or equal to 1, but it is 2"),
        ({"classes": ["fox"]}, "there is no class 'fox'; the nearest is 'dog'"),
        ({"crop": 224}, r"handler\.crop: a detector gets whole photos"),
    ],
)
def test_a_wrong_setting_stops_the_load(settings, message, faster_rcnn_folder, make_context):
    context = make_context(faster_rcnn_folder, modelFile="model.py", config={"handler": settings})
    with pytest.raises(ValueError, match=message):
        ObjectDetector().initialize(context)


# Formats -----------------------------------------------------------------------------------------------------


def test_format_coco(detector, make_context):
    (answer,) = detector.handle([{"data": photo(), "format": "coco", "topk": "2"}], make_context())
    score = pytest.approx(0.7)
    assert answer[1] == {
        "bbox": [1.0, 2.0, 2.0, 2.0],
        "category_id": 2,
        "category_name": "score",
        "score": score,
    }


def test_format_overlay_is_a_picture_of_the_photos_size_with_its_content_type(detector, make_context):
    context = make_context()
    answers = detector.handle([{"data": photo()}, {"data": photo(320, 240), "format": "overlay"}], context)
    assert context.content_types == {1: "image/png"}
    drawn = Image.open(io.BytesIO(answers[1]))
    assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (320, 240), "RGB")
    assert drawn.getpixel((0, 120)) != (100, 100, 100)
    assert drawn.getpixel((160, 120)) == (100, 100, 100)
    assert isinstance(answers[0], list)


def test_the_overlay_of_a_jpeg_is_a_jpeg(detector, make_context):
    context = make_context()
    (picture,) = detector.handle([{"data": photo(320, 240, "JPEG"), "format": "overlay"}], context)
    assert context.content_types == {0: "image/jpeg"}
    assert Image.open(io.BytesIO(picture)).format == "JPEG"


def test_each_overlay_shows_its_own_photo_beside_a_row_that_fails(detector, make_context):
    context = make_context()
    rows = [{"data": photo(10 * n, 30), "format": "overlay"} for n in (4, 5, 6)]
    rows[1]["data"] = b"no image"
    answers = detector.handle(rows, context)
    assert [Image.open(io.BytesIO(answers[index])).width for index in (0, 2)] == [40, 60]
    assert context.statuses == {1: 400}


def test_an_overlay_needs_a_photo(detector, make_context):
    context = make_context()
    lists = torch.zeros(3, 4, 5).tolist()
    answers = detector.handle([{"data": lists, "format": "overlay"}, {"data": lists}], context)
    assert context.statuses == {0: 400}
    assert "needs a photo to draw on" in answers[0]["message"]
    assert answers[1][0]["cat"] == [0.0, 0.0, 5.0, 4.0]


# Masks, keypoints, explanations ------------------------------------------------------------------------------


def test_masks_are_left_out_unless_asked_for(make_context):
    coco = pytest.importorskip("pycocotools.mask", reason="masks need pycocotools")
    masks = torch.zeros(3, 1, 30, 40)
    masks[0, 0, :15] = 0.8
    handler = make_detector(Detections(masks=masks))
    answers = handler.handle([{"data": photo()}, {"data": photo(), "masks": "true"}], make_context())
    assert list(answers[0][0]) == ["cat", "score"]
    assert list(answers[1][0]) == ["cat", "score", "mask"]
    assert int(coco.area(answers[1][0]["mask"])) == 15 * 40


def test_an_overlay_tints_masks_and_dots_keypoints(make_context):
    masks = torch.zeros(3, 1, 240, 320)
    masks[0, 0, :, 100:200] = 1
    keypoints = torch.zeros(3, 1, 3)
    keypoints[0, 0] = torch.tensor([250.0, 200.0, 1.0])
    handler = make_detector(Detections(masks=masks, keypoints=keypoints))
    row = {
        "data": photo(320, 240),
        "format": "overlay",
        "masks": "true",
        "keypoints": "true",
        "classes": "cat",
    }
    drawn = Image.open(io.BytesIO(handler.handle([row], make_context())[0]))
    assert drawn.getpixel((150, 120)) != (100, 100, 100)
    assert drawn.getpixel((250, 200)) != (100, 100, 100)
    assert drawn.getpixel((250, 120)) == (100, 100, 100)


def test_keypoints_are_left_out_unless_asked_for(make_context):
    points = torch.tensor([[3.0, 4.0, 1.0], [5.0, 6.0, 0.0]])
    handler = make_detector(Detections(keypoints=points.expand(3, 2, 3)))
    answers = handler.handle([{"data": photo()}, {"data": photo(), "keypoints": "true"}], make_context())
    assert list(answers[0][0]) == ["cat", "score"]
    assert answers[1][0]["keypoints"] == [[3.0, 4.0, 1.0], [5.0, 6.0, 0.0]]


def test_explain_on_the_detector_is_a_400_and_predictions_beside_it_are_answered(detector, make_context):
    context = make_context(headers={0: {"explain": "True"}})
    answers = detector.handle([{"data": photo()}, {"data": photo()}], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"] == (
        "ObjectDetector gives no explanations, unless its archive names a layer to explain by:"
        " handler.explain_layer in model-config.yaml"
    )
    assert answers[1][0]["cat"] == [0.0, 0.0, 40.0, 30.0]
