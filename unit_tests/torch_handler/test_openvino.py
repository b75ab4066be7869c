"""The setting `engine: openvino`: torch's answers, computed by OpenVINO, of models of each format and kind."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from PIL import Image

from ts.handler_utils.models.caller import ModelCaller
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

NETWORK = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
        self.last = torch.nn.Linear(8, 5)

    def forward(self, images):
        return {output}
"""
CLASSIFIER = NETWORK.format(output="self.last(self.layers(images).mean((2, 3)))")
SEGMENTER = NETWORK.format(output='{"out": self.layers(images), "aux": self.layers(images)[:, :2]}')
# A random draw: each call has another answer.
RANDOM = NETWORK.format(output="self.last(images[:, 0, :8, :8]) + torch.rand_like(images).mean()")
FOURIER = NETWORK.format(output="torch.linalg.eigvals(images[:, 0]).real + self.last.bias.sum()")
DETECTOR = """
import torch

class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv2d(3, 4, 3)

    def forward(self, images: list[torch.Tensor]):
        found = []
        for image in images:
            means = self.layer(image[None]).mean((2, 3))[0]
            boxes = torch.stack([means.abs(), means.abs() + 4], 1).repeat(1, 2)[:, [0, 2, 1, 3]]
            found.append({"boxes": boxes, "labels": torch.tensor([1, 2, 1, 2]), "scores": means.sigmoid()})
        return found
"""
BAG = """
import torch

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.EmbeddingBag(4, 3)

    def forward(self, indexes, offsets):
        return self.embedding(indexes, offsets)
"""
OPENVINO = {"handler": {"engine": "openvino"}}


@pytest.fixture(autouse=True)
def cache(openvino_cache: Path) -> Path:
    return openvino_cache


def photo(colour: str, size: tuple[int, int] = (40, 30)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, "PNG")
    Image.blend(Image.open(file), Image.new("RGB", size, colour), 0.5).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


ROWS: list[dict[str, Any]] = [
    {"data": photo("red")},
    {"data": photo("blue")},
    {"data": photo("green", (30, 60))},
]


@pytest.fixture
def answers(make_context: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Starts a handler by each engine: `answers(handler, model, rows, settings)`; both answers."""

    def ask(kind: type[BaseHandler], code: str, rows: list[Any], **settings: Any) -> tuple[Any, Any, Any]:
        (tmp_path / "model.py").write_text(code)
        found = []
        for engine in ("torch", "openvino"):
            handler = kind()
            config = {"handler": {**settings, "engine": engine}}
            context = make_context(tmp_path, config=config, modelFile="model.py")
            handler.initialize(context)
            found.append(handler.handle(rows, context))
            assert context.statuses == {}, found
        return (*found, handler)

    return ask


def forms(handler: Any) -> Any:
    """What OpenVINO answers."""
    found = ModelCaller.of(handler)._engine
    return [] if found is None or found._caller is None else found._caller._forms


def test_a_classifier(answers: Callable[..., Any]) -> None:
    torchs, openvinos, handler = answers(ImageClassifier, CLASSIFIER, ROWS, resize=20, crop=16)
    assert openvinos == [pytest.approx(row, abs=1e-6) for row in torchs]
    (form,) = forms(handler)
    assert form.checked == {((3, 16, 16),)}


def test_photos_of_other_sizes_in_batches_of_other_sizes(answers: Callable[..., Any]) -> None:
    lists = [{"data": torch.rand(3, 9, 12).tolist()}] * 3
    torchs, openvinos, handler = answers(ImageClassifier, CLASSIFIER, lists)
    assert openvinos == [pytest.approx(row, abs=1e-6) for row in torchs]
    assert [len(form.checked) for form in forms(handler)] == [2]


def test_a_segmenter_that_returns_a_dictionary(answers: Callable[..., Any]) -> None:
    torchs, openvinos, handler = answers(ImageSegmenter, SEGMENTER, ROWS, resize=20, crop=16)
    for found, wanted in zip(map(json.loads, openvinos), map(json.loads, torchs)):
        assert torch.tensor(found) == pytest.approx(torch.tensor(wanted), abs=1e-5)
    assert len(forms(handler)) == 1


def test_a_detector_without_such_a_part_stops_the_load(answers: Callable[..., Any]) -> None:
    with pytest.raises(
        ValueError,
        match="OpenVINO cannot convert Detector: it takes a list of images, and no part of it is a network",
    ):
        answers(ObjectDetector, DETECTOR, ROWS, threshold=0.0)


def test_texts_as_bags_of_words(answers: Callable[..., Any], tmp_path: Path) -> None:
    torch.save({"<unk>": 0, "rain": 1, "sun": 2, "rain sun": 3}, tmp_path / "source_vocab.pt")
    rows = [{"data": "rain sun"}, {"data": "sun"}, {"data": "sun rain sun rain"}]
    torchs, openvinos, handler = answers(TextClassifier, BAG, rows)
    assert openvinos == [pytest.approx(row, abs=1e-6) for row in torchs]
    assert len(forms(handler)) == 1


def test_numbers_are_converted_for_the_first_request(answers: Callable[..., Any]) -> None:
    rows = [{"data": torch.rand(3, 8, 8).tolist()}, {"data": torch.rand(3, 8, 8).tolist()}]
    torchs, openvinos, handler = answers(BaseHandler, CLASSIFIER, rows)
    assert torch.tensor(openvinos) == pytest.approx(torch.tensor(torchs), abs=1e-5)
    assert len(forms(handler)) == 1


TORCH = tuple(int(part) for part in torch.__version__.split(".")[:2])


@pytest.mark.parametrize("suffix", ["pt", "fixed.pt2", "any.pt2"])
def test_models_of_other_formats(suffix: str, make_context: Callable[..., Any], tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    exec(CLASSIFIER, space)
    model = space["Network"]().eval()
    path = tmp_path / f"model.{suffix}"
    if suffix == "pt":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.trace(model, torch.rand(2, 3, 16, 16)).save(str(path))
    else:
        shapes = ({0: torch.export.Dim("rows", min=1)},) if suffix == "any.pt2" else None
        torch.export.save(
            torch.export.export(model, (torch.rand(2, 3, 16, 16),), dynamic_shapes=shapes), str(path)
        )
    config = {"handler": {"engine": "openvino", "resize": 20, "crop": 16}}
    context = make_context(tmp_path, config=config, serializedFile=path.name)
    handler = ImageClassifier()
    if suffix != "pt" and TORCH < (2, 5):  # whose exported programs OpenVINO cannot convert
        with pytest.raises(ValueError, match=r"OpenVINO cannot convert GraphModule: .*leave out"):
            handler.initialize(context)
        return
    handler.initialize(context)
    batch = torch.rand(5, 3, 16, 16)
    assert handler.inference(batch) == pytest.approx(model(batch).detach(), abs=1e-5)
    assert len(forms(handler)) == 1


def started(make_context: Callable[..., Any], folder: Path, code: str, **config: Any) -> ImageClassifier:
    (folder / "model.py").write_text(code)
    handler = ImageClassifier()
    handler.initialize(make_context(folder, config=config or OPENVINO, modelFile="model.py"))
    return handler


def test_a_conversion_is_kept_and_found_again(
    make_context: Callable[..., Any], tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ts.handler_utils.models.openvino")
    for _ in range(2):
        started(make_context, tmp_path, CLASSIFIER)
    assert caplog.text.count("OpenVINO converts the model, once") == 1
    (kept,) = cache.iterdir()
    assert sorted(path.name for path in kept.iterdir()) == [
        "compared.json",
        "compiled",
        "model.bin",
        "model.xml",
    ]
    (kept / "model.bin").write_bytes(b"")  # a disk that was full
    started(make_context, tmp_path, CLASSIFIER)
    assert "is left aside, and the model converted anew" in caplog.text
    (tmp_path / "weights.txt").write_text("others")
    started(make_context, tmp_path, CLASSIFIER)
    assert len(list(cache.iterdir())) == 2


def test_a_cache_that_cannot_be_written_is_one_line_in_the_log(
    make_context: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "ts.handler_utils.models.openvino.cache")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "file"))
    handler = started(make_context, tmp_path, CLASSIFIER)
    assert len(forms(handler)) == 1
    assert caplog.text.count("The model is converted anew at each start, since") == 1


@pytest.mark.parametrize(
    ("code", "config", "message"),
    [
        (
            RANDOM,
            {"engine": "openvino"},
            r"cannot convert Network: its numbers differ from torch's by .*no part",
        ),
        (
            FOURIER,
            {"engine": "openvino"},
            r"cannot convert Network: it has no rule for aten::\w*eig\w*, and no part of it is a network of",
        ),
        (
            CLASSIFIER,
            {"engine": "openvino", "memory_format": "channels_last"},
            "leave out handler.memory_format",
        ),
        (CLASSIFIER, {"engine": "tensorrt"}, "handler.engine.*'tensorrt'"),
    ],
    ids=["random", "operator", "memory_format", "unknown"],
)
def test_what_openvino_cannot_do_stops_the_load(
    code: str, config: dict[str, Any], message: str, make_context: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        started(make_context, tmp_path, code, handler=config)


def test_torch_compile_beside_it_stops_the_load(make_context: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leave out pt2"):
        started(make_context, tmp_path, CLASSIFIER, pt2="inductor", **OPENVINO)


def test_without_the_package_the_command_is_named(
    make_context: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ImportError, match=r"pip install 'torchserve-handlers\[openvino\]'"):
        started(make_context, tmp_path, CLASSIFIER)


class Own(ImageClassifier):
    """Changes its model when it has been loaded."""

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        self.model.last = torch.nn.Linear(8, 3)


def test_a_subclass_that_changes_its_model_gets_the_answers_of_that(
    make_context: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "model.py").write_text(CLASSIFIER)
    handler = Own()
    handler.initialize(make_context(tmp_path, config=OPENVINO, modelFile="model.py"))
    batch = torch.rand(2, 3, 16, 16)
    assert handler.inference(batch) == pytest.approx(handler.model(batch).detach(), abs=1e-5)
    assert len(forms(handler)) == 1
    with torch.no_grad():
        handler.model.last.bias += 1
    assert handler.inference(batch) == pytest.approx(handler.model(batch).detach(), abs=1e-5)
    assert "it was changed after its first answer" in caplog.text


def test_a_subclass_whose_model_cannot_be_converted_is_answered_by_torch(
    make_context: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Another(ImageClassifier):
        pass

    (tmp_path / "model.py").write_text(FOURIER)
    handler = Another()
    handler.initialize(make_context(tmp_path, config=OPENVINO, modelFile="model.py"))
    batch = torch.rand(2, 3, 4, 4)
    for _ in range(2):
        assert torch.equal(handler.inference(batch), handler.model(batch).detach())
    assert caplog.text.count("torch computes the model, and not OpenVINO: OpenVINO cannot convert") == 1


def test_gradients_for_explanations_flow_through_torch(
    make_context: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("captum")
    handler = started(
        make_context, tmp_path, CLASSIFIER, handler={"engine": "openvino", "resize": 20, "crop": 16}
    )
    (found,) = handler.get_insights(torch.rand(1, 3, 16, 16), "", 2)
    assert torch.tensor(found).shape == (3, 16, 16)
    assert torch.tensor(found).abs().sum() > 0


def test_bfloat16_is_computed_where_the_cpu_has_it(
    make_context: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from openvino import Core

    handler = started(
        make_context, tmp_path, CLASSIFIER, handler={"engine": "openvino", "precision": "bfloat16"}
    )
    batch = torch.rand(2, 3, 16, 16)
    assert handler.inference(batch) == pytest.approx(handler.model(batch).detach(), abs=0.1)
    has_it = "BF16" in Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert ("This CPU has no instructions for bfloat16" in caplog.text) is not has_it


def test_answers_do_not_change_with_the_next_batch(make_context: Callable[..., Any], tmp_path: Path) -> None:
    handler = started(make_context, tmp_path, CLASSIFIER)
    first = handler.inference(torch.rand(2, 3, 16, 16))
    kept = first.clone()
    handler.inference(torch.rand(2, 3, 16, 16))
    assert torch.equal(first, kept)


def test_it_tells_its_maker_nothing() -> None:
    code = "import sys\nfrom ts.handler_utils.models.openvino.library import core\ncore()\n"
    code += "assert not [name for name in sys.modules if 'openvino_telemetry' in name], sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
