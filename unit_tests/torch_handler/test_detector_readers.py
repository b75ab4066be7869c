"""The object detector with networks of other kinds than torchvision's, from photos to boxes in their pixels."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import torch
from detectors import make_detector
from PIL import Image
from yolo_networks import CLASSES, Network, suppressed

from ts.handler_utils.images.pillow import encode_png
from ts.handler_utils.images.settings import ObjectDetectorSettings
from ts.torch_handler.object_detector import ObjectDetector

THRESHOLD, IOU = 0.6, 0.3


def picture(width: int, height: int, seed: int = 0) -> tuple[bytes, torch.Tensor]:
    """A PNG of noise, and its values in [0, 1], float [3, H, W]."""
    values = torch.randint(0, 256, (height, width, 3), generator=torch.Generator().manual_seed(seed))
    file = io.BytesIO()
    Image.fromarray(values.to(torch.uint8).numpy()).save(file, "PNG")
    return file.getvalue(), values.permute(2, 0, 1) / 255


def answers(model: Any, photos: list[bytes], context: Any, options: Any = None, **settings: Any) -> Any:
    handler = make_detector(model)
    handler.mapping = None
    handler.settings = ObjectDetectorSettings(**settings)
    handler.image_processing = handler.image_processing.replace(**handler.settings.transform_changes())
    asked = {"threshold": THRESHOLD, **(options or {})}
    return handler.handle([{"data": photo, **asked} for photo in photos], context)


def expected(network: Network, image: torch.Tensor, iou: float) -> list[tuple[int, float, list[float]]]:
    """What is in an image, by plain arithmetic on the network's output of YOLOv5's layout."""
    plain = Network("yolov5")
    rows = plain(image[None])[0].tolist()
    every = network.layout == "pair"  # each class of a box is a candidate
    found = [
        ([x - w / 2, y - h / 2, x + w / 2, y + h / 2], objectness * classes[label], label)
        for x, y, w, h, objectness, *classes in rows
        for label in (range(CLASSES) if every else [max(range(CLASSES), key=lambda i, c=classes: c[i])])
    ]
    boxes, scores, labels = (list(column) for column in zip(*found))
    return suppressed(boxes, scores, labels, THRESHOLD, iou)


def check(answer: list[dict[str, Any]], detections: list[tuple[int, float, list[float]]]) -> None:
    assert len(answer) == len(detections) > 3
    for found, (label, score, box) in zip(answer, detections):
        assert found["score"] == pytest.approx(score, abs=1e-5)
        assert found[str(label)] == pytest.approx(box, abs=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("layout", ["yolov8", "yolov5", "pair"])
@pytest.mark.parametrize("normalized", [False, True])
def test_boxes_are_those_of_plain_arithmetic(layout, normalized, make_context):
    network = Network(layout, normalized).eval()
    name = {"pair": "retinanet"}.get(layout, layout)
    data, image = picture(96, 64)
    context = make_context()
    (answer,) = answers(network, [data], context, output=name, nms_iou=IOU)
    assert not context.statuses
    check(answer, expected(network, image, IOU))
    if not (normalized and layout == "yolov5"):  # which may be something else
        assert answers(network, [data], context, nms_iou=IOU) == [answer]


@torch.no_grad()
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", ["yolov8", "yolov5", "pair"])
def test_a_torchscript_export_of_a_fixed_size_gets_letterboxed_photos(layout, tmp_path, make_context):
    network = Network(layout).eval()
    torch.jit.trace(network, torch.rand(1, 3, 64, 64)).save(str(tmp_path / "model.pt"))
    settings = {"letterbox": 64, "nms_iou": IOU, "threshold": THRESHOLD}
    context = make_context(tmp_path, config={"handler": settings}, serializedFile="model.pt")
    handler = ObjectDetector()
    handler.initialize(context)
    photos = [picture(64, 52, seed=1), picture(64, 64, seed=2), picture(53, 64, seed=3)]
    found = handler.handle([{"data": data} for data, _ in photos], context)
    assert not context.statuses
    for answer, (_, image) in zip(found, photos):
        canvas = torch.full((3, 64, 64), 114 / 255)
        height, width = image.shape[-2:]
        top, left = round((64 - height) / 2 - 0.1), round((64 - width) / 2 - 0.1)
        canvas[:, top : top + height, left : left + width] = image
        moved = [
            (
                label,
                score,
                [
                    min(max(x - shift, 0), most)
                    for x, shift, most in zip(box, [left, top] * 2, [width, height] * 2)
                ],
            )
            for label, score, box in expected(network, canvas, IOU)
        ]
        check(answer, moved)


class Fixed(torch.nn.Module):
    """Finds the same in each image."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output
        self.shapes: list[Any] = []

    def forward(self, images: Any) -> Any:
        self.shapes.append(tuple(images.shape))
        return self.output(len(images))


def ends(score: float = 0.9) -> Any:
    """YOLOv10's: the whole of an input of 640x640, and its middle."""
    row = torch.tensor([[0.0, 0, 640, 640, score, 2], [160, 160, 480, 480, 0.8, 1], [0, 0, 0, 0, 0, 0]])
    return lambda images: row.expand(images, 3, 6)


def test_photos_of_several_sizes_share_a_letterbox_and_get_boxes_in_their_own_pixels(make_context):
    model, context = Fixed(ends()), make_context()
    photos = [picture(64, 48)[0], picture(30, 60)[0], picture(1280, 1280)[0]]
    found = answers(model, photos, context, letterbox=640)
    assert model.shapes == [(3, 3, 640, 640)]
    assert [answer[0]["2"] for answer in found] == [[0, 0, 64, 48], [0, 0, 30, 60], [0, 0, 1280, 1280]]
    assert [answer[1]["1"] for answer in found] == [
        pytest.approx([16, 8, 48, 40], abs=1e-3),
        pytest.approx([0, 15, 30, 45], abs=1e-3),
        pytest.approx([320, 320, 960, 960], abs=1e-3),
    ]


def test_photos_of_several_sizes_are_stacked_by_size_where_nothing_scales_them(make_context):
    network = Network("yolov8").eval()
    photos = [picture(96, 64), picture(64, 64, seed=1), picture(96, 64, seed=2)]
    found = answers(network, [data for data, _ in photos], make_context(), nms_iou=IOU)
    for answer, (_, image) in zip(found, photos):
        check(answer, expected(network, image, IOU))


@pytest.mark.parametrize(("resize", "box"), [([320, 640], [0, 0, 64, 96]), (None, [0, 0, 640, 640])])
def test_a_plain_resize_is_undone_and_without_one_pixels_are_the_models(resize, box, make_context):
    (answer,) = answers(Fixed(ends()), [picture(64, 48)[0]], make_context(), resize=resize)
    assert answer[0]["2"] == pytest.approx(box)


def test_fractions_are_found_out_and_the_setting_says_otherwise(make_context):
    def tenths(images: int) -> Any:
        return torch.tensor([[[0.1, 0.2, 0.5, 1.0, 0.9, 2.0]]]).expand(images, 1, 6)

    photo = picture(64, 48)[0]
    (answer,) = answers(Fixed(tenths), [photo], make_context(), resize=[32, 32])
    assert answer[0]["2"] == pytest.approx([6.4, 9.6, 32, 48])
    (answer,) = answers(Fixed(tenths), [photo], make_context(), normalized=False)
    assert answer[0]["2"] == pytest.approx([0.1, 0.2, 0.5, 1.0])


def test_fractions_of_nested_lists_are_of_what_was_sent(make_context):
    def half(images: int) -> Any:
        return torch.tensor([[[0.0, 0.0, 0.5, 0.5, 0.9, 2.0]]]).expand(images, 1, 6)

    lists: Any = torch.zeros(3, 8, 20).tolist()
    (answer,) = answers(Fixed(half), [lists], make_context())
    assert answer[0]["2"] == pytest.approx([0, 0, 10, 4])


# Faults and limits -------------------------------------------------------------------------------------------


def test_numbers_that_are_none_are_the_fault_of_their_photo(make_context):
    def model(images: torch.Tensor) -> Any:
        rows = (
            torch.rand(8, 84, generator=torch.Generator().manual_seed(0)).mul(0.5).repeat(len(images), 1, 1)
        )
        rows[:, :4] *= 600
        rows[:, 2, 17] /= (images.mean(dim=(1, 2, 3)) > 0.1).float()  # infinite in the dark
        return rows

    context, photo = make_context(), picture(64, 48)[0]
    photos = [photo, encode_png(Image.new("RGB", (64, 48))), photo]
    found = answers(model, photos, context, {"threshold": 0.1}, letterbox=[48, 64])
    assert context.statuses == {1: 503}
    assert found[0] == found[2] != []


def test_however_many_boxes_are_found_an_answer_has_the_300_best(make_context):
    def output(images: int) -> Any:
        rows = torch.rand(images, 84, 8400, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.5
        rows[:, :2] = torch.rand(images, 2, 8400, generator=torch.Generator().manual_seed(1)) * 600
        rows[:, 2:4] = 2  # no two of them overlap by much
        return rows

    (answer,) = answers(Fixed(output), [picture(64, 48)[0]], make_context(), {"threshold": 0}, letterbox=640)
    scores = [found["score"] for found in answer]
    assert len(answer) == 300
    assert scores == sorted(scores, reverse=True)
    best = output(1)[0, 4:].amax(dim=0)
    assert scores[0] == pytest.approx(best.max().item())
    for most in ({"max_boxes": 7}, {"max_boxes": 20, "topk": 7}):
        (fewer,) = answers(Fixed(output), [picture(64, 48)[0]], make_context(), letterbox=640, **most)
        assert fewer == answer[:7]


def test_classes_that_are_asked_for_are_not_crowded_out_by_others(make_context):
    def output(images: int) -> Any:
        rows = torch.zeros(images, 400, 6)
        rows[..., 0] = rows[..., 2] = torch.arange(400) * 10.0
        rows[..., 2] += 5
        rows[..., 3], rows[..., 4], rows[..., 5] = 5, 0.9, 1
        rows[:, -1, 4:] = torch.tensor([0.7, 2])
        return rows

    (answer,) = answers(Fixed(output), [picture(64, 48)[0]], make_context(), {"classes": "2"}, nms_iou=0.5)
    assert [list(found) for found in answer] == [["2", "score"]]


def test_scores_that_are_no_probabilities_are_a_fault_that_says_what_to_do(make_context, caplog):
    context = make_context()
    answers(Fixed(ends(5.0)), [picture(64, 48)[0]], context, output="yolov10")
    assert context.statuses == {0: 503}
    assert "the detector's scores are from 0 to 5, not from 0 to 1, as yolov10 reads them" in caplog.text


def test_another_form_than_the_setting_says_is_a_fault_that_names_both(make_context, caplog):
    context = make_context()
    answers(Fixed(ends()), [picture(64, 48)[0]], context, output="detr")
    assert context.statuses == {0: 503}
    assert "output: detr reads logits" in caplog.text
    assert "returned a tensor [1, 3, 6]" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output": "yolo88"}, "handler.output: there is no reader 'yolo88'.*the nearest is 'yolov8'"),
        ({"letterbox": 64, "resize": 64}, "handler.resize and handler.letterbox"),
        ({"letterbox": 0}, "handler.letterbox"),
        ({"pad_value": 300}, "handler.pad_value: Input should be less than or equal to 255"),
        ({"nms_iou": 2}, "handler.nms_iou: Input should be less than or equal to 1"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_wrong_settings_stop_the_load(settings, message, tmp_path, make_context):
    torch.jit.script(torch.nn.Identity()).save(str(tmp_path / "model.pt"))
    context = make_context(tmp_path, config={"handler": settings}, serializedFile="model.pt")
    with pytest.raises(ValueError, match=message):
        ObjectDetector().initialize(context)


# Explanations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["yolov8", "yolov5", "pair"])
def test_a_layer_explains_what_was_found(layout, tmp_path, make_context):
    (tmp_path / "model.py").write_text(
        "from yolo_networks import Network\n\n"
        f"class Model(Network):\n    def __init__(self):\n        super().__init__({layout!r})\n"
    )
    config = {"handler": {"letterbox": 64, "explain_layer": "maps.0"}}
    headers = {0: {"explain": "True"}}
    context = make_context(tmp_path, config=config, headers=headers, modelFile="model.py")
    handler = ObjectDetector()
    handler.initialize(context)
    (found,) = handler.handle([{"data": picture(64, 48)[0]}], context)
    assert not context.statuses, json.dumps(found)
    assert torch.tensor(found).shape == (64, 64)
    assert torch.tensor(found).max() == pytest.approx(1)


# transformers' models, of a model file of one's own -----------------------------------------------------------


@torch.no_grad()
@pytest.mark.parametrize("name", ["detr", "yolos", "rt_detr"])
def test_models_of_transformers_are_read_as_their_processors_do(name, make_context):
    pytest.importorskip("transformers")
    from huggingface_folders import MAKERS

    torch.manual_seed(0)
    model, processor = MAKERS[name]()
    model.eval()
    data, image = picture(96, 64)
    theirs = processor.post_process_object_detection(model(image[None]), 0.0, [(64, 96)])[0]
    found = answers(model, [data], make_context(), {"threshold": 0.0})[0]
    assert len(found) == len(theirs["scores"]) > 1
    order = theirs["scores"].argsort(descending=True, stable=True)
    best = sorted(found, key=lambda entry: -entry["score"])
    for entry, index in zip(best, order.tolist()):
        assert entry["score"] == pytest.approx(theirs["scores"][index].item(), abs=1e-5)
        assert entry[str(theirs["labels"][index].item())] == pytest.approx(
            theirs["boxes"][index].tolist(), abs=1e-3
        )
