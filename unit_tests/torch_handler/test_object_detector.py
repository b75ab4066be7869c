"""The object detector, on a real network and real photos, beside torchserve's own."""

from __future__ import annotations

import base64
import copy
import io
import warnings

import pytest
import torch
from at_hand import unpacked
from detectors import BOX, Detections, OfStacks, make_detector, photo
from PIL import Image, ImageOps
from torchvision.ops import box_convert

from ts.handler_utils.images.settings import ObjectDetectorSettings
from ts.torch_handler.object_detector import ObjectDetector

EAGER = {"modelFile": "model.py", "serializedFile": "yolov3_tiny.pt"}


@pytest.fixture(scope="module")
def yolov3_tiny_folder(tmp_path_factory):
    """The archive of the example in examples/object_detector, unpacked."""
    from examples.object_detector.archive import build_archive

    return unpacked(build_archive, tmp_path_factory.mktemp("yolov3_tiny"))


@pytest.fixture
def yolo(yolov3_tiny_folder, make_context):
    handler = ObjectDetector()
    handler.initialize(make_context(yolov3_tiny_folder, **EAGER))
    return handler


# Beside torchserve's own -------------------------------------------------------------------------------------


def assert_same_answers(answers, expected):
    assert [[list(item) for item in answer] for answer in answers] == [
        [list(item) for item in answer] for answer in expected
    ]
    for answer, its in zip(answers, expected):
        for item, other in zip(answer, its):
            for key, value in item.items():
                assert value == pytest.approx(other[key], abs=1e-3 if isinstance(value, list) else 1e-4)


def test_real_photos_get_the_answers_of_torchserves_own_handler(
    yolo, yolov3_tiny_folder, photos, person_and_cup, ask_torchserve, make_context
):
    yolo.threshold = 0.03
    batches = [[{"body": photo}] for photo in (*(path.read_bytes() for path in photos), person_and_cup)]
    answers = [yolo.handle(rows, make_context())[0] for rows in batches]
    expected = ask_torchserve(
        "object_detector", yolov3_tiny_folder, EAGER, batches, prepare="handler.threshold = 0.03"
    )
    assert sum(len(answer) for answer in answers) > 10
    assert_same_answers(answers, [batch[0] for batch in expected])


def test_so_does_a_batch_at_torchvisions_faster_rcnn(
    faster_rcnn_folder, astronaut, ask_torchserve, make_context
):
    handler = ObjectDetector()
    handler.initialize(make_context(faster_rcnn_folder, modelFile="model.py"))
    handler.threshold = 0.25
    rows = [{"body": astronaut}] * 2
    answers = handler.handle(rows, make_context())
    (expected,) = ask_torchserve(
        "object_detector",
        faster_rcnn_folder,
        {"modelFile": "model.py"},
        [rows],
        prepare="handler.threshold = 0.25",
    )
    assert len(answers[0]) > 0
    assert_same_answers(answers, expected)


class Raw(torch.nn.Module):
    """What an export of YOLOv3-tiny returns: every box, and of every class its probability."""

    def __init__(self, network, layout):
        super().__init__()
        self.network, self.layout, self.maps = network, layout, {}
        for name, stride in (("coarse_head", 32), ("fine_head", 16)):
            getattr(network, name).register_forward_hook(
                lambda _, __, output, key=stride: self.keep(key, output)
            )

    def keep(self, stride, output):
        self.maps[stride] = output

    def forward(self, images: torch.Tensor):
        anchors = {32: ((81, 82), (135, 169), (344, 319)), 16: ((23, 27), (37, 58), (81, 82))}
        self.network(list(images))
        decoded = torch.cat(
            [self.network.decode(self.maps[key], anchors[key], key) for key in anchors], dim=1
        )
        boxes, scores = decoded[..., :4], decoded[..., 4:]
        if self.layout == "retinanet":
            return scores, boxes
        return torch.cat(
            [box_convert(boxes, "xyxy", "cxcywh"), torch.ones_like(scores[..., :1]), scores], dim=-1
        )


@pytest.mark.parametrize("layout", ["retinanet", "yolov5"])
def test_real_weights_exported_raw_give_the_answers_of_their_own_postprocessing(
    layout, yolo, make_context, photos, person_and_cup
):
    """Of photos as large as the network's input, which the archive and the letterbox leave as they are."""
    rows = []
    for image in (*photos, io.BytesIO(person_and_cup)):
        file = io.BytesIO()
        ImageOps.pad(Image.open(image).convert("RGB"), (416, 416)).save(file, "PNG")
        rows.append({"data": file.getvalue(), "threshold": 0.25})
    expected = yolo.handle(rows, make_context())
    raw = make_detector(Raw(yolo.model, layout))
    raw.mapping = yolo.mapping
    raw.settings = ObjectDetectorSettings(letterbox=416, nms_iou=0.45)
    raw.image_processing = raw.image_processing.replace(letterbox=416)
    answers = raw.handle(rows, make_context())
    assert sum(len(answer) for answer in answers) >= 3
    assert_same_answers(answers, expected)


def test_a_torchscript_detector_answers_as_the_eager_one(
    faster_rcnn_folder, astronaut, tmp_path, make_context
):
    eager, scripted = ObjectDetector(), ObjectDetector()
    eager.initialize(make_context(faster_rcnn_folder, modelFile="model.py"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A copy, since TorchScript takes no module whose calls faster code answers.
        torch.jit.script(copy.deepcopy(eager.model.detector)).save(str(tmp_path / "model.pt"))
    scripted.initialize(make_context(tmp_path, serializedFile="model.pt"))
    scripted.mapping = eager.mapping
    eager.threshold = scripted.threshold = 0.25
    # Both are square: of other shapes TorchScript rounds the size that a photo is scaled to in another way.
    rows = [{"body": astronaut}, {"body": photo(300, 300)}]
    assert_same_answers(scripted.handle(rows, make_context()), eager.handle(rows, make_context()))


# Real weights ------------------------------------------------------------------------------------------------


def test_the_person_and_the_cup_of_a_photo(yolo, person_and_cup, make_context):
    (answer,) = yolo.handle([{"data": person_and_cup, "threshold": "0.4"}], make_context())
    assert [next(iter(item)) for item in answer] == ["person", "cup"]
    assert [item["score"] for item in answer] == pytest.approx([0.89, 0.61], abs=0.01)
    assert answer[0]["person"] == pytest.approx([4, 0, 388, 512], abs=5)
    assert answer[1]["cup"] == pytest.approx([599, 30, 902, 464], abs=5)


def test_photos_of_different_sizes_are_answered_as_each_alone(yolo, photos, make_context):
    rows = [{"body": path.read_bytes()} for path in photos[:4]]
    together = yolo.handle(rows, make_context())
    assert_same_answers(together, [yolo.handle([row], make_context())[0] for row in rows])


# A batch is requests, each with its own fate -------------------------------------------------------------------


def test_one_corrupt_image_of_four_fails_alone(detector, make_context):
    context = make_context()
    rows = [{"data": photo()}, {"data": photo()[:60]}, {"body": photo(50, 20)}, {"data": photo()}]
    answers = detector.handle(rows, context)
    assert context.statuses == {1: 400}
    assert answers[1]["code"] == 400
    assert answers[0] == answers[3] == detector.handle(rows[:1], make_context())[0]
    assert answers[2] == detector.handle(rows[2:3], make_context())[0]


def test_two_image_sizes_in_the_detector(detector, make_context):
    context = make_context()
    answers = detector.handle([{"data": photo(40, 30)}, {"data": photo(20, 60)}], context)
    assert [answer[0]["cat"] for answer in answers] == [[0.0, 0.0, 40.0, 30.0], [0.0, 0.0, 20.0, 60.0]]
    assert context.statuses == {}
    assert detector.model.batches == [[(3, 30, 40), (3, 60, 20)]]


def test_a_model_that_takes_one_tensor_gets_the_images_of_a_size_together(make_context):
    handler = make_detector(OfStacks())
    rows = [{"data": photo(40, 30)}, {"data": photo(20, 60)}, {"data": photo(40, 30)}]
    answers = handler.handle(rows, make_context())
    assert [answer[0]["cat"][2:] for answer in answers] == [[40.0, 30.0], [20.0, 60.0], [40.0, 30.0]]
    assert handler.model.batches == [[(2, 3, 30, 40)], [(1, 3, 60, 20)]]


@pytest.mark.parametrize(("stack", "model"), [(True, OfStacks), (False, Detections)])
def test_the_setting_stack_says_what_a_model_takes_whose_code_does_not(stack, model, make_context):
    class Undeclared(model):
        def forward(self, images):
            return super().forward(images)

    handler = make_detector(Undeclared())
    handler.settings = handler.settings_class(stack=stack)
    (answer,) = handler.handle([{"data": photo()}], make_context())
    assert answer[0]["cat"] == [0.0, 0.0, 40.0, 30.0]


def test_a_subclass_gets_a_tensor_as_under_torchserve_where_all_images_have_one_size(make_context):
    class Halved(ObjectDetector):
        def inference(self, data, *args, **kwargs):
            return super().inference(data[:, :, ::2, ::2])

    handler = Halved()
    handler.model, handler.device = Detections(), torch.device("cpu")
    (answer, _) = handler.handle([{"data": photo()}] * 2, make_context())
    assert answer[0]["1"] == [0.0, 0.0, 20.0, 15.0]


@pytest.mark.parametrize("form", ["bytes", "base64", "JSON"])
def test_photos_come_as_bytes_base64_or_json(form, detector, make_context):
    encoded = base64.b64encode(photo()).decode()
    row = {"bytes": {"body": photo()}, "base64": {"data": encoded}, "JSON": {"body": {"data": encoded}}}[form]
    assert detector.handle([row], make_context())[0][0]["cat"] == [0.0, 0.0, 40.0, 30.0]


def test_boxes_are_in_pixels_of_the_photo_turned_upright(detector, make_context):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side
    (answer,) = detector.handle([{"data": photo(40, 30, "JPEG", exif=exif)}], make_context())
    assert answer[0]["cat"] == [0.0, 0.0, 30.0, 40.0]


def test_boxes_are_in_pixels_of_the_photo_where_the_setting_resize_shrinks_it(detector, make_context):
    detector.image_processing = detector.image_processing.replace(resize=15)
    (answer,) = detector.handle([{"data": photo(40, 30)}], make_context())
    assert detector.model.batches == [[(3, 15, 20)]]
    assert answer[0]["cat"] == [0.0, 0.0, 40.0, 30.0]
    assert answer[1]["score (2)"] == [2.0, 4.0, 6.0, 8.0]
    (coco,) = detector.handle([{"data": photo(40, 30), "format": "coco", "topk": "1"}], make_context())
    assert coco[0]["bbox"] == [0.0, 0.0, 40.0, 30.0]


# The answer --------------------------------------------------------------------------------------------------


def test_a_detected_label_named_score_keeps_its_box(detector, make_context):
    (answer,) = detector.handle([{"data": photo()}], make_context())
    assert answer[1] == {"score (2)": BOX, "score": pytest.approx(0.7)}


def test_a_class_without_a_label_shows_its_index(detector, make_context):
    (answer,) = detector.handle([{"data": photo(), "threshold": "0.1"}], make_context())
    assert answer[2] == {"3": BOX, "score": pytest.approx(0.3)}


def test_nothing_found_is_an_empty_list(detector, make_context):
    assert detector.handle([{"data": photo(), "threshold": "1"}], make_context()) == [[]]


def test_postprocess_can_be_called_by_hand(detector):
    (answer,) = detector.postprocess([Detections().detect(30, 40)])
    assert [list(item) for item in answer] == [["cat", "score"], ["score (2)", "score"]]


def test_a_model_that_is_no_detector_is_an_error_of_the_server(make_context):
    context = make_context()
    make_detector(torch.nn.Identity()).handle([{"data": photo()}], context)
    assert context.statuses == {0: 503}
