"""What a handler says about itself."""

from __future__ import annotations

import json
from typing import Any

from ts import HANDLERS_VERSION
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.images.batches import ImageBatches
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector


def test_options_have_types_ranges_and_the_defaults_that_hold_now() -> None:
    class TopThree(ImageClassifier):
        topk = 3

    about = TopThree().describe_handle()
    assert about["handler"] == "TopThree"
    assert (about["library"], about["version"]) == ("torchserve-handlers", HANDLERS_VERSION)
    assert about["options"]["topk"] == {
        "type": "integer",
        "minimum": 1,
        "default": 3,
        "description": "classes in an answer, best first",
    }
    target = about["options"]["target"]
    assert (target["type"], target["minimum"], target["default"]) == ("integer", 0, None)


def test_settings_have_the_values_that_hold_now() -> None:
    class Sure(ObjectDetector):
        threshold = 0.9

    settings = Sure().describe_handle()["settings"]
    assert settings["threshold"] == 0.9
    assert settings["exif"] is True
    assert settings["resize"] is None


def test_an_image_transform_is_among_the_settings() -> None:
    handler = ImageClassifier()
    Configuration.of(handler).read({"handler": {"resize": [100, 200]}})
    ImageBatches.of(handler).apply_settings()
    settings = handler.describe_handle()["settings"]
    assert (settings["resize"], settings["crop"]) == ([100, 200], 224)


def test_payloads_are_those_of_the_class_that_reads_them() -> None:
    class Own(ImageClassifier):
        def preprocess(self, data: Any) -> Any:
            return data

    class Documented(Own):
        payloads = ("a song",)

    assert BaseHandler().describe_handle()["payloads"] == [
        "nested lists of numbers: one row of the model's input"
    ]
    assert ImageClassifier().describe_handle()["payloads"][0].startswith("an encoded image")
    assert Own().describe_handle()["payloads"] == []
    assert Documented().describe_handle()["payloads"] == ["a song"]


def test_every_value_is_one_that_json_has() -> None:
    class Odd(ImageClassifier):
        topk = object()  # type: ignore[assignment]

    json.dumps(Odd().describe_handle())
