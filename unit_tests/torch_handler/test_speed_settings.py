"""The settings that make handlers faster, on a real network and real photos."""

from __future__ import annotations

import pytest
import torch
from devices import DEVICES

from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

EAGER = {"modelFile": "model.py", "serializedFile": "efficientnet_lite0.pt"}
SCRIPT = {"serializedFile": "model.pt"}


@pytest.fixture(autouse=True)
def in_whole_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a GPU's convolutions round their inputs to TF32, which moves probabilities by some 0.001."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.fixture(params=["eager", "torchscript"])
def archive(request):
    folder = "efficientnet_lite0_folder" if request.param == "eager" else "torchscript_folder"
    return request.getfixturevalue(folder), EAGER if request.param == "eager" else SCRIPT


@pytest.fixture
def answer(archive, photos, make_context):
    """Answers the photos as one batch, by a classifier with these settings."""
    folder, model = archive

    def ask(device="cpu", config=None, **settings):
        gpu = 0 if device != "cpu" else None
        context = make_context(folder, config={"handler": settings, **(config or {})}, gpu_id=gpu, **model)
        handler = ImageClassifier()
        handler.initialize(context)
        return handler.handle([{"body": photo.read_bytes()} for photo in photos], context)

    return ask


def assert_near(answers, expected, tolerance):
    for ours, theirs in zip(answers, expected):
        assert next(iter(ours)) == next(iter(theirs))
        for label in ours.keys() & theirs.keys():
            assert ours[label] == pytest.approx(theirs[label], abs=tolerance)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        ({"precision": "float32"}, 1e-5),
        ({"precision": "bfloat16"}, 0.1),
        ({"memory_format": "channels_last"}, 1e-5),
        ({"memory_format": "contiguous"}, 1e-5),
        ({"threads": 1}, 1e-6),
        ({"threads": 7}, 1e-6),
        ({"micro_batch": 2}, 1e-5),
        ({"warmup": {"batch_sizes": [1, 3], "image_size": [100, 80]}}, 1e-5),
        ({"scaled_decode": True}, 0.1),
    ],
    ids=str,
)
def test_answers_stay_the_same_within_what_a_setting_costs(settings, tolerance, device, answer):
    assert_near(answer(device, **settings), answer(device), tolerance)


def test_a_compiled_model_in_another_precision_answers(efficientnet_lite0_folder, photos, make_context):
    config = {"handler": {"precision": "bfloat16", "memory_format": "channels_last"}, "pt2": "aot_eager"}
    context = make_context(efficientnet_lite0_folder, config=config, **EAGER)
    handler = ImageClassifier()
    handler.initialize(context)
    (answer,) = handler.handle([{"body": photos[0].read_bytes()}], context)
    assert next(iter(answer)) in ("Egyptian cat", "tabby", "tiger cat")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"precision": "half"},
            r"handler\.precision: .*'float32', 'bfloat16', 'float16' or 'int8', but it is 'half'",
        ),
        ({"memory_format": "nhwc"}, r"handler\.memory_format: .*'channels_last', but it is 'nhwc'"),
        ({"warmup": {"batch_sizes": [0]}}, r"handler\.warmup\.batch_sizes\.0: .*greater than 0, but it is 0"),
        ({"warmup": {"batches": [1]}}, r"handler\.warmup\.batches: Extra inputs"),
        ({"micro_batch": 0}, r"handler\.micro_batch: .*greater than or equal to 1, but it is 0"),
        ({"threads": 0}, r"handler\.threads: .*greater than or equal to 1, but it is 0"),
        ({"decoder": "opencv"}, r"handler\.decoder: .*'nvjpeg', but it is 'opencv'"),
        ({"decoder": "nvjpeg"}, r"handler\.decoder: nvjpeg needs a GPU"),
    ],
)
def test_a_wrong_setting_stops_the_load(settings, message, torchscript_folder, make_context):
    with pytest.raises(ValueError, match=message):
        ImageClassifier().initialize(make_context(torchscript_folder, config={"handler": settings}, **SCRIPT))


class Counting(torch.nn.Module):
    """Remembers the shapes of the batches that it is called with."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        shapes.append(tuple(images.shape))
        return torch.zeros(len(images), 2)


shapes: list = []
COUNTING = """
import torch
from {module} import Counting

class Model(Counting):
    pass
"""


@pytest.fixture
def counting_folder(tmp_path, monkeypatch):
    import sys
    import types

    module = types.ModuleType("counting_models")
    module.Counting = Counting
    monkeypatch.setitem(sys.modules, "counting_models", module)
    (tmp_path / "counting.py").write_text(COUNTING.format(module="counting_models"))
    shapes.clear()
    return tmp_path


def test_warmup_infers_each_batch_size_before_the_first_request(counting_folder, make_context):
    settings = {"warmup": {"batch_sizes": [1, 4], "image_size": 300}}
    context = make_context(counting_folder, config={"handler": settings}, modelFile="counting.py")
    ImageClassifier().initialize(context)
    assert set(shapes) == {(1, 3, 224, 224), (4, 3, 224, 224)}
    assert shapes == sorted(shapes)


def test_a_batch_is_answered_in_micro_batches(counting_folder, photos, make_context):
    context = make_context(counting_folder, config={"handler": {"micro_batch": 2}}, modelFile="counting.py")
    handler = ImageClassifier()
    handler.initialize(context)
    rows = [{"body": photos[0].read_bytes()}] * 5
    assert len(handler.handle(rows, context)) == 5
    assert sorted(len(range(shape[0])) for shape in shapes) == [1, 2, 2]
    shapes.clear()
    handler.handle(rows[:2], context)
    assert [shape[0] for shape in shapes] == [2]


def test_a_handler_that_does_not_know_its_inputs_has_no_warmup(counting_folder, make_context, caplog):
    from ts.torch_handler.base_handler import BaseHandler

    context = make_context(counting_folder, config={"handler": {"warmup": {}}}, modelFile="counting.py")
    BaseHandler().initialize(context)
    assert "handler.warmup is not a setting of this handler" in caplog.text


DETECTOR = """
import torch

class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 1, 1, bias=False)
        torch.nn.init.constant_(self.layer.weight, 1.0)

    def forward(self, images: list[torch.Tensor]):
        assert all(image.dtype == torch.float32 for image in images)
        inside = self.layer(images[0][None]).dtype == torch.bfloat16
        boxes = torch.tensor([[1.0, 2.0, 1000.5, 4.0]])
        score = torch.tensor([0.9 if inside else 0.6])
        return [{"boxes": boxes, "labels": torch.tensor([1]), "scores": score} for _ in images]
"""


@pytest.mark.parametrize(("precision", "score"), [("bfloat16", 0.9), ("float32", 0.6)])
def test_a_detector_keeps_its_boxes_in_float32(precision, score, tmp_path, photos, make_context):
    (tmp_path / "detector.py").write_text(DETECTOR)
    settings = {"precision": precision}
    context = make_context(tmp_path, config={"handler": settings}, modelFile="detector.py")
    handler = ObjectDetector()
    handler.initialize(context)
    ((found,),) = handler.handle([{"body": photos[0].read_bytes()}], context)
    assert found["1"] == [1.0, 2.0, 1000.5, 4.0]
    assert found["score"] == pytest.approx(score)


TEXT = """
import torch

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag(4, 2)

    def forward(self, indexes, offsets):
        return self.embedding(indexes, offsets)
"""


def test_a_text_classifier_warms_up(tmp_path, make_context):
    (tmp_path / "bag.py").write_text(TEXT)
    (tmp_path / "source_vocab.pt").write_text("<unk>\ncat\n")
    settings = {"warmup": {"batch_sizes": [1, 2]}}
    handler = TextClassifier()
    handler.initialize(make_context(tmp_path, config={"handler": settings}, modelFile="bag.py"))
    assert handler.initialized
