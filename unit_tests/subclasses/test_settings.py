"""Subclasses with keys of their own in model-config.yaml, and with models that they load or change themselves."""

from __future__ import annotations

import warnings
from typing import Any, Callable

import pytest
import torch
from pydantic import model_validator
from tiny_archives import TINY
from torch import nn

from ts.handler_utils.settings import HandlerSettings
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector

OWN_KEYS = {
    "precision": "fp16",
    "warmup": 3,
    "architecture": "bert",
    "micro_batch": "auto",
    "memory_format": "nhwc",
    "mean": 0.5,
    "std": "imagenet",
    "threads": "auto",
    "topk": "all",
    "target": "cat",
    "preset": "mine",
    "resize": "none",
    "crop": [1, 2, 3],
    "decoder": "opencv",
    "format": "csv",
    "stateless": "maybe",
    "profile": "deep",
    "explain_layer": "nowhere",
    "classes": 80,
    "threshold": "high",
    "ngrams": "all",
    "max_length": "longest",
}


class Same:
    """Makes a subclass that differs in nothing but in being one."""

    def __class_getitem__(cls, kind: Any) -> Any:
        return type(kind.__name__, (kind,), {"__module__": __name__})


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize(("key", "value"), OWN_KEYS.items(), ids=OWN_KEYS)
def test_a_key_that_does_not_fit_is_left_to_the_subclass(
    name: str, key: str, value: Any, make_context: Callable, tmp_path: Any, caplog: Any
) -> None:
    archive = TINY[name]
    answers = []
    for kind, settings in ((archive.handler, {}), (Same[archive.handler], {key: value})):
        config = {"handler": {**archive.settings, **settings}}
        context = make_context(archive.write(tmp_path), config=config, modelFile="model.py")
        handler = kind()
        handler.initialize(context)
        assert handler.model_yaml_config["handler"] == config["handler"]
        answers.append(handler.handle([dict(row) for row in archive.rows], context))
    known = key in archive.handler.settings_class.model_fields and key not in ("resize", "crop")
    if known:
        assert f"handler.{key}" in caplog.text
    if key not in archive.settings:
        assert answers[1] == answers[0]


@pytest.mark.parametrize("section", ["a string", 7, ["a", "list"], None])
def test_a_section_that_is_no_mapping_is_left_to_the_subclass(
    section: Any, make_context: Callable, tmp_path: Any
) -> None:
    archive = TINY["classifier"]
    context = make_context(archive.write(tmp_path), config={"handler": section}, modelFile="model.py")
    handler = Same[ImageClassifier]()
    handler.initialize(context)
    assert len(handler.handle(archive.rows[:1], context)[0]) == 3


def test_the_image_processing_of_a_subclass_is_not_replaced(make_context: Callable, tmp_path: Any) -> None:
    class Own(ImageClassifier):
        image_processing = staticmethod(lambda _: torch.zeros(3, 4, 4))  # type: ignore[assignment]

    context = make_context(
        TINY["classifier"].write(tmp_path), config={"handler": {"resize": 300}}, modelFile="model.py"
    )
    handler = Own()
    handler.initialize(context)
    assert handler.image_processing is Own.image_processing


def test_labels_that_there_are_not_are_left_to_the_subclass(make_context: Callable, tmp_path: Any) -> None:
    archive = TINY["detector"]
    config = {"handler": {**archive.settings, "classes": ["nothing like it"], "crop": 4}}
    context = make_context(archive.write(tmp_path), config=config, modelFile="model.py")
    handler = Same[ObjectDetector]()
    handler.initialize(context)
    assert len(handler.handle(archive.rows[:1], context)[0]) > 0


class Modes(nn.Module):
    """Answers differently while it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.layers(values)


@pytest.mark.parametrize("hook", ["_load_pickled_model", "_load_torchscript_model"])
def test_a_model_that_a_hook_loads_is_made_ready_to_infer(
    hook: str, make_context: Callable, tmp_path: Any
) -> None:
    def load(self: Any, *_: Any) -> nn.Module:
        if hook == "_load_pickled_model":
            return Modes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.jit.script(Modes())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Identity()).save(str(tmp_path / "model.pt"))
    names = {"modelFile": "model.py"} if hook == "_load_pickled_model" else {"serializedFile": "model.pt"}
    context = make_context(tmp_path, **names)
    handler: Any = type("Loads", (BaseHandler,), {hook: load, "__module__": __name__})()
    handler.initialize(context)
    assert not any(module.training for module in handler.model.modules())
    rows = [{"data": [1.0, 2.0]}]
    assert handler.handle(rows, context) == handler.handle(rows, context)
    assert {weight.device for weight in handler.model.parameters()} == {handler.device}


class Changes(BaseHandler):
    def initialize(self, context: Any) -> None:
        super().initialize(context)
        with torch.no_grad():
            self.model.weight.fill_(2)


def test_the_answer_follows_a_torchscript_model_that_a_subclass_changes(
    make_context: Callable, tmp_path: Any
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Linear(2, 1, bias=False).eval()).save(str(tmp_path / "model.pt"))
    context = make_context(tmp_path, serializedFile="model.pt")
    handler = Changes()
    handler.initialize(context)
    row = [{"data": [1.0, 2.0]}]
    assert handler.handle(row, context) == [[6.0]]
    handler.model.load_state_dict({"weight": torch.tensor([[1.0, 0.0]])})
    assert handler.handle(row, context) == [[1.0]]


@pytest.mark.parametrize(
    "pt2",
    [
        "nvfuser",
        "a typo",
        {"backend": "nvfuser"},
        {"backend": "a typo"},
        {"compile": {"enable": True, "backend": "a typo"}},
        {"compile": {"enable": True, "backend": "tensorrt"}},
        {"compile": {"enable": True, "mode": "a typo"}},
        {"mode": "a typo"},
    ],
    ids=str,
)
def test_a_backend_that_is_not_there_leaves_the_model_as_it_is(
    pt2: Any, make_context: Callable, tmp_path: Any, caplog: Any
) -> None:
    context = make_context(TINY["base"].write(tmp_path), config={"pt2": pt2}, modelFile="model.py")
    handler = BaseHandler()
    handler.initialize(context)
    assert handler.handle([{"data": [1.0]}], context) == [[2.0]]
    assert "backend" in caplog.text or "failed, so the model runs as it is" in caplog.text


def test_settings_that_do_not_fit_together_stop_the_load(make_context: Callable, tmp_path: Any) -> None:
    class Pair(HandlerSettings):
        low: int = 0
        high: int = 1

        @model_validator(mode="after")
        def _in_order(self) -> Any:
            if self.low > self.high:
                raise ValueError("low must not be above high")
            return self

    class Paired(BaseHandler):
        settings_class = Pair

    context = make_context(TINY["base"].write(tmp_path), config={"handler": {"low": 5}}, modelFile="model.py")
    with pytest.raises(ValueError, match="low must not be above high"):
        Paired().initialize(context)
