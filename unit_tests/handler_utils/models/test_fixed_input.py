"""Detectors whose ONNX file takes images of one size get photos of that size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import numpy as np
import pytest
from detectors import photo

from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.fixed_input import fixed_size, scaling_for
from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel
from ts.handler_utils.models.formats.onnx import OnnxModel
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector


class Session:
    """An onnxruntime session of a detector that finds the whole of its input."""

    def __init__(self, shape: list[Any], outputs: int = 1) -> None:
        self.inputs = [SimpleNamespace(name="images", type="tensor(float)", shape=shape)]
        self.outputs = [SimpleNamespace(name=f"output{index}") for index in range(outputs)]

    def get_inputs(self) -> list[Any]:
        return self.inputs

    def get_outputs(self) -> list[Any]:
        return self.outputs

    def run(self, _: None, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
        count, _, height, width = arrays["images"].shape
        assert [count, height, width] == [self.inputs[0].shape[index] for index in (0, 2, 3)]
        return [np.array([[[0, 0, width, height, 0.9, 1]]], np.float32)]


def detector(**settings: Any) -> ObjectDetector:
    handler = ObjectDetector()
    handler.settings = ObjectDetector.settings_class(**settings)
    return handler


@pytest.mark.parametrize(
    ("shape", "size"),
    [([1, 3, 48, 64], (48, 64)), (["batch", 3, 48, 64], (48, 64)), ([1, 3, "h", "w"], None), ([1, 3], None)],
)
def test_the_size_is_known_where_the_file_says_it(shape: list[Any], size: Optional[tuple[int, int]]) -> None:
    model = OnnxModel(Session(shape))
    assert fixed_size(model) == fixed_size(ChunkedModel(model, BatchLimits.fixed(1))) == size


@pytest.mark.parametrize(
    ("settings", "outputs", "expected"),
    [
        ({}, 1, {"letterbox": [48, 64]}),
        ({"output": "yolov8"}, 2, {"letterbox": [48, 64]}),
        ({}, 2, {"resize": [48, 64]}),
        ({"output": "ssd"}, 1, {"resize": [48, 64]}),
        ({"resize": [48, 64]}, 1, {}),
        ({"letterbox": 64}, 1, {}),
    ],
)
def test_photos_of_yolos_go_into_a_letterbox_and_others_are_resized(
    settings: Any, outputs: int, expected: Any
) -> None:
    model = OnnxModel(Session([1, 3, 48, 64], outputs))
    assert scaling_for(detector(**settings), model) == expected


def test_it_is_known_of_no_other_handler_nor_model() -> None:
    class Own(ObjectDetector):
        pass

    model = OnnxModel(Session([1, 3, 48, 64]))
    for handler in (ImageClassifier(), Own()):
        assert scaling_for(handler, model) == {}
    assert scaling_for(detector(), None) == scaling_for(detector(), Session([1, 3, 48, 64])) == {}


def test_photos_of_any_size_are_answered_in_their_own_pixels(make_context, monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    from ts.handler_utils.models.formats import onnx

    monkeypatch.setattr(onnx, "setup_ort_session", lambda *_: Session([1, 3, 48, 64]))
    (tmp_path / "model.onnx").write_bytes(b"")
    config = {"handler": {"warmup": {"batch_sizes": [2]}}}
    context = make_context(tmp_path, config=config, serializedFile="model.onnx")
    handler = ObjectDetector()
    handler.initialize(context)
    assert ModelDefaults.of(handler).transform == {"letterbox": [48, 64]}
    answers = handler.handle([{"data": photo(40, 30)}, {"data": photo(128, 20)}], context)
    assert not context.statuses
    assert [answer[0]["1"] for answer in answers] == [[0, 0, 40, 30], [0, 0, 128, 20]]
