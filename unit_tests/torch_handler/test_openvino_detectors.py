"""The setting `engine: openvino` for detectors: OpenVINO computes what does not depend on what is found."""

from __future__ import annotations

import copy
import io
import logging
import pickle
import warnings
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from PIL import Image
from small_detectors import DETECTORS

from ts.handler_utils.models.openvino.parts import OpenVinoPart
from ts.torch_handler.object_detector import ObjectDetector

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

CODE = DETECTORS["fasterrcnn"][0]
# As torchserve's own example has it: a module around the detector, which does not say what it takes.
WRAPPED = (
    CODE.replace("class Network", "class Inner")
    + """

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()

    def forward(self, images):
        return self.inner(images)
"""
)
# Code that looks at values, which tracing would fix; in it a network that does not.
BRANCHING = (
    CODE
    + """
        self.backbone = Branching(self.backbone)


class Branching(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.out_channels = inner, inner.out_channels

    def forward(self, images):
        return self.inner(images if images.mean() > 0 else -images)
"""
)


@pytest.fixture(autouse=True)
def cache(openvino_cache: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "ts.handler_utils.models")
    return openvino_cache


def photo(size: tuple[int, int], seed: int = 0) -> dict[str, Any]:
    noise = torch.randint(0, 256, (size[1], size[0], 3), generator=torch.Generator().manual_seed(seed))
    Image.fromarray(noise.to(torch.uint8).numpy()).save(file := io.BytesIO(), "PNG")
    return {"data": file.getvalue()}


BATCHES = [
    [photo((70, 50)), photo((60, 90), 1)],
    [photo((70, 50), 2)],
    [photo((96, 40)), photo((40, 96)), photo((64, 64))],
    [photo((80, 60)), photo((66, 90)), photo((64, 95))],
    [photo((95, 50)), photo((64, 40))],
]


@pytest.fixture
def start(make_context: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def started(code: str, kind: type[ObjectDetector] = ObjectDetector, **settings: Any) -> tuple[Any, Any]:
        (tmp_path / "model.py").write_text(code)
        config = {"handler": {"threshold": 0.0, "model_class": "Network", **settings}}
        handler, context = kind(), make_context(tmp_path, config=config, modelFile="model.py")
        handler.initialize(context)
        return handler, context

    return started


def parts(model: Any) -> list[str]:
    """The names of the modules that OpenVINO computes."""
    return [
        name for name, each in model.named_modules() if isinstance(each._compiled_call_impl, OpenVinoPart)
    ]


def assert_equal_answers(openvino: Any, torchs: Any) -> None:
    """On photos of several sizes, in batches of several sizes."""
    (handler, context), (other, its_context) = openvino, torchs
    for rows in BATCHES:
        found, wanted = handler.handle(rows, context), other.handle(rows, its_context)
        assert context.statuses == its_context.statuses == {}
        assert any(wanted)
        for answers, expected in zip(found, wanted):
            assert [next(iter(answer)) for answer in answers] == [next(iter(answer)) for answer in expected]
            for answer, own in zip(answers, expected):
                (box, score), (own_box, own_score) = answer.values(), own.values()
                assert score == pytest.approx(own_score, rel=1e-4)
                assert box == pytest.approx(own_box, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("name", DETECTORS)
def test_each_kind_of_detector_answers_as_torch_does(name: str, start: Callable[..., Any]) -> None:
    code, names = DETECTORS[name]
    openvino = start(code, engine="openvino")
    assert parts(openvino[0].model) == names
    assert_equal_answers(openvino, start(code))
    assert parts(openvino[0].model) == names


def test_one_line_of_the_log_says_which_parts(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    handler, _ = start(WRAPPED, engine="openvino")
    assert parts(handler.model) == ["inner.backbone", "inner.rpn.head"]
    line = "OpenVINO computes inner.backbone, inner.rpn.head of the model, and torch the rest"
    assert caplog.text.count(line) == 1


def test_a_module_around_a_detector_is_taken_apart_too(start: Callable[..., Any]) -> None:
    assert_equal_answers(start(WRAPPED, engine="openvino"), start(WRAPPED))


def test_of_a_part_whose_code_looks_at_values_the_parts_inside_are_computed(
    start: Callable[..., Any],
) -> None:
    openvino = start(BRANCHING, engine="openvino")
    assert parts(openvino[0].model) == ["backbone.inner", "rpn.head"]
    assert_equal_answers(openvino, start(BRANCHING))


def test_parts_are_converted_once(
    start: Callable[..., Any], cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        start(CODE, engine="openvino")
    assert caplog.text.count("OpenVINO converts backbone, once") == 1
    assert caplog.text.count("OpenVINO converts rpn.head, once") == 1
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2


def test_copies_pickles_and_the_state_of_the_model_are_as_without(start: Callable[..., Any]) -> None:
    model, plain = start(CODE, engine="openvino")[0].model, start(CODE)[0].model
    assert list(model.state_dict()) == list(plain.state_dict())
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model.backbone))):
        assert not parts(copied)


def test_a_part_with_a_hook_is_torchs(start: Callable[..., Any]) -> None:
    handler, context = start(CODE, engine="openvino")
    seen: list[int] = []
    handler.model.backbone.body.register_forward_hook(lambda *call: seen.append(len(call[1][0])))
    handler.handle(BATCHES[0], context)
    assert seen == [2]
    assert parts(handler.model) == ["rpn.head"]


def test_a_part_that_is_changed_is_torchs(start: Callable[..., Any]) -> None:
    openvino, torchs = start(CODE, engine="openvino"), start(CODE)
    for handler, _ in (openvino, torchs):
        with torch.no_grad():
            handler.model.backbone.fpn.layer_blocks[0][0].weight.mul_(2)
    assert_equal_answers(openvino, torchs)
    assert parts(openvino[0].model) == ["rpn.head"]


class Own(ObjectDetector):
    """Changes its model when it has been loaded."""

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        with torch.no_grad():
            self.model.rpn.head.conv[0][0].weight.mul_(2)


def test_a_subclass_that_changes_its_model_gets_the_answers_of_that(start: Callable[..., Any]) -> None:
    openvino, torchs = start(CODE, Own, engine="openvino"), start(CODE, Own)
    assert not parts(openvino[0].model)
    assert_equal_answers(openvino, torchs)
    assert parts(openvino[0].model) == ["backbone", "rpn.head"]


def test_a_load_says_why_no_part_is_computed(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts.handler_utils.models.openvino.forms.TOLERANCES", {None: -1.0})
    with pytest.raises(
        ValueError,
        match=r"it takes a list of images, and of its parts none can be computed: backbone: .*numbers differ",
    ):
        start(CODE, engine="openvino")


def test_torchscript_is_refused_since_it_cannot_be_taken_apart(
    make_context: Callable[..., Any], tmp_path: Path
) -> None:
    space: dict[str, Any] = {}
    exec(CODE, space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inner = space["FasterRCNN"](space["pyramid"](), 5, **space["regions"]()).eval()
        torch.jit.script(inner).save(str(tmp_path / "model.pt"))
    context = make_context(tmp_path, config={"handler": {"engine": "openvino"}}, serializedFile="model.pt")
    with pytest.raises(
        ValueError, match=r"TorchScript cannot be taken apart: pack its model file or architecture"
    ):
        ObjectDetector().initialize(context)


def test_bfloat16_is_asked_of_each_part(start: Callable[..., Any]) -> None:
    handler, context = start(CODE, engine="openvino", precision="bfloat16")
    assert parts(handler.model) == ["backbone", "rpn.head"]
    assert any(handler.handle(BATCHES[0], context))
    assert context.statuses == {}


def test_int8_is_refused(start: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"handler.precision: int8 needs a quantized network"):
        start(CODE, engine="openvino", precision="int8")


def test_explanations_go_through_torch(start: Callable[..., Any]) -> None:
    handler, _ = start(CODE, engine="openvino", explain_layer="backbone.body.2")
    handler.get_insights(torch.rand(1, 3, 64, 64), "")
    assert parts(handler.model) == ["backbone", "rpn.head"]
