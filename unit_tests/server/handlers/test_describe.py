"""`GET /models/NAME?customized=true` says what a handler takes, and how it is set up."""

from __future__ import annotations

from typing import Any


def test_a_description_names_payloads_options_settings_and_labels(served: Any) -> None:
    (found,) = served.get(f"{served.server.management_url}/models/colours?customized=true").json()
    about = found["customizedMetadata"]
    assert about.keys() == {"library", "version", "handler", "payloads", "options", "settings", "labels"}
    assert about["handler"] == "ImageClassifier"
    assert about["payloads"] == [
        "an encoded image: bytes, base64 text or a data: URI",
        "nested lists of numbers [C, H, W]: the model's input as it is",
    ]
    assert about["labels"] == {"0": "red", "1": "green", "2": "blue"}
    assert about["options"]["topk"] == {
        "type": "integer",
        "minimum": 1,
        "default": 5,
        "description": "classes in an answer, best first",
    }
    assert about["options"]["format"]["enum"] == ["json", "heatmap"]
    settings = about["settings"]
    assert (settings["profile"], settings["resize"], settings["crop"]) == (True, 32, 32)
    assert settings["mean"] == [0.485, 0.456, 0.406]


def test_the_runner_gives_the_same_description(served: Any, runner: Any) -> None:
    (found,) = served.get(f"{served.server.management_url}/models/colours?customized=true").json()
    ours = runner.describe().response
    for name in ("target", "threshold"):
        assert ours["options"][name].pop("default") is None  # which TorchServe leaves out
    ours["settings"] = {name: value for name, value in ours["settings"].items() if value is not None}
    assert ours == found["customizedMetadata"]
