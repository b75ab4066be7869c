"""ONNX models under `engine: openvino`: onnxruntime's answers, or those of nobody to compare with."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from onnx_writer import write_onnx

from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.models.formats.onnx import OnnxModel
from ts.handler_utils.models.openvino import conversion
from ts.handler_utils.models.openvino.onnx import OpenVinoModel, load_onnx_for_openvino
from ts.runner.answering.model import load_archive
from ts.runner.exporting import export_archive
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")
pytest.importorskip("onnxruntime", reason="needs onnxruntime: pip install 'torchserve-handlers[onnx]'")

MEANS = [("GlobalAveragePool", ["images"], "means"), ("Flatten", ["means"], "logits")]
ROWS = ("float", ("rows", 4))


@pytest.fixture(autouse=True)
def cache(openvino_cache: Path) -> Path:
    return openvino_cache


@pytest.fixture
def start(make_context: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Starts a handler on the archive's model.onnx: `start(kind, setting=...)`."""

    def started(kind: type[BaseHandler], **settings: Any) -> Any:
        config = {"handler": {"engine": "openvino", **settings}}
        handler = kind()
        handler.initialize(make_context(tmp_path, config=config, serializedFile="model.onnx"))
        return handler

    return started


def classifier(path: Path, rows: Any = "rows") -> Path:
    sizes = {"images": ("float", (rows, 3, 8, 8))}
    return write_onnx(path, MEANS, sizes, {"logits": ("float", (rows, 3))})


@pytest.mark.parametrize("rows", ["rows", 2], ids=["any", "fixed"])
def test_a_classifier_of_any_batch(rows: Any, start: Callable[..., Any], tmp_path: Path, cache: Path) -> None:
    classifier(tmp_path / "model.onnx", rows)
    handler = start(ImageClassifier, resize=8, crop=8)
    batch = torch.rand(5, 3, 8, 8)
    assert handler.inference(batch) == pytest.approx(batch.mean((2, 3)), abs=1e-6)
    (form,) = ModelCaller.of(handler)._engine._caller._forms
    assert form.checked == {((3, 8, 8),)}
    assert isinstance(form.source.model, OnnxModel)
    (kept,) = cache.iterdir()
    assert (kept / "model.xml").is_file()


def test_inputs_by_name_need_not_come_in_the_order_of_the_model(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    write_onnx(
        tmp_path / "model.onnx", [("Sub", ["left", "right"], "y")], {"left": ROWS, "right": ROWS}, {"y": ROWS}
    )
    handler = start(BaseHandler)
    small, large = torch.rand(2, 4), torch.rand(2, 4) + 5
    for _ in range(2):
        assert torch.equal(ModelCaller.of(handler)(right=small, left=large), large - small)
        assert torch.equal(ModelCaller.of(handler)(small, large), small - large)
    assert len(ModelCaller.of(handler)._engine._caller._forms) == 2


def test_answers_that_differ_stop_the_load(start: Callable[..., Any], tmp_path: Path) -> None:
    value = ("float", ("rows", 3, 8, 8))
    operators = [("RandomNormalLike", ["images"], "noise"), *MEANS[1:]]
    write_onnx(
        tmp_path / "model.onnx",
        [operators[0], ("Flatten", ["noise"], "logits")],
        {"images": value},
        {"logits": ("float", ("rows", 192))},
    )
    message = r"convert model\.onnx: its numbers differ from onnxruntime's by .*onnxruntime computes it"
    with pytest.raises(ValueError, match=message):
        start(ImageClassifier, resize=8, crop=8)


def test_external_data_is_read_of_the_archive_alone(start: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(torch.arange(4.0).numpy().tobytes())
    place = {"weights": ("weights.bin", 4)}
    write_onnx(tmp_path / "model.onnx", [("Add", ["x", "weights"], "y")], {"x": ROWS}, {"y": ROWS}, place)
    handler = start(BaseHandler)
    for _ in range(2):
        assert handler.inference(torch.ones(1, 4)).tolist() == [[1, 2, 3, 4]]
    assert len(ModelCaller.of(handler)._engine._caller._forms) == 1


@pytest.fixture
def without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)


@pytest.mark.parametrize("rows", ["rows", 2], ids=["any", "fixed"])
@pytest.mark.usefixtures("without_onnxruntime")
def test_without_onnxruntime_it_is_said_that_nothing_is_compared(
    rows: Any, start: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ts.handler_utils.models.openvino")
    classifier(tmp_path / "model.onnx", rows)
    handler = start(ImageClassifier, resize=8, crop=8)
    batch = torch.rand(5, 3, 8, 8)
    assert handler.inference(batch) == pytest.approx(batch.mean((2, 3)), abs=1e-6)
    assert "OpenVINO's answers of model.onnx are compared with nobody's" in caplog.text


@pytest.mark.usefixtures("without_onnxruntime")
def test_a_model_of_openvino_is_called_as_one_of_onnxruntime(tmp_path: Path) -> None:
    value = ("float16", ("rows", 2))
    operators = [("Sub", ["left", "right"], "y"), ("Neg", ["y"], "z")]
    write_onnx(tmp_path / "model.onnx", operators, {"left": value, "right": value}, {"y": value, "z": value})
    model = load_onnx_for_openvino(tmp_path / "model.onnx", None)
    assert isinstance(model, OpenVinoModel)
    first, second = model(torch.tensor([[3, 2]]), right=torch.ones(1, 2, dtype=torch.bfloat16))
    assert (first.tolist(), second.tolist()) == ([[2, 1]], [[-2, -1]])
    with pytest.raises(ValueError, match=r"takes 2 inputs \(left, right\), but got 1$"):
        model(torch.ones(1, 2))


@pytest.mark.parametrize(
    ("operators", "external", "message"),
    [
        (
            [("Nothing", ["x"], "y")],
            {},
            r"^OpenVINO cannot read model\.onnx: it has no rule for Nothing",
        ),
        ([("Add", ["x", "w"], "y")], {"w": ("../secret", 4)}, r"outside the base directory|from 2026\.2 on"),
        ([("Add", ["x", "w"], "y")], {"w": ("missing", 4)}, r"read model\.onnx: .*missing|from 2026\.2 on"),
    ],
    ids=["operator", "outside", "missing"],
)
@pytest.mark.usefixtures("without_onnxruntime")
def test_a_model_that_openvino_cannot_read_is_refused(
    operators: Any, external: Any, message: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(bytes(16))
    (tmp_path / "archive").mkdir()
    write_onnx(tmp_path / "archive" / "model.onnx", operators, {"x": ROWS}, {"y": ROWS}, external)
    with pytest.raises(ValueError, match=message):
        load_onnx_for_openvino(tmp_path / "archive" / "model.onnx", None)


@pytest.mark.usefixtures("without_onnxruntime")
def test_an_openvino_that_reads_outside_of_the_archive_reads_no_external_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "version", lambda: (2026, 1))
    assert load_onnx_for_openvino(classifier(tmp_path / "model.onnx"), None)
    (tmp_path / "folder").mkdir()
    outside = {"w": ("folder/../../secret", 4)}
    write_onnx(tmp_path / "model.onnx", [("Add", ["x", "w"], "y")], {"x": ROWS}, {"y": ROWS}, outside)
    with pytest.raises(ValueError, match=r"several files, as model\.onnx, from 2026\.2 on$"):
        load_onnx_for_openvino(tmp_path / "model.onnx", None)


@pytest.mark.parametrize("content", [b"", b"\x00junk", b'<?xml version="1.0"?><net/>'])
@pytest.mark.usefixtures("without_onnxruntime")
def test_what_is_no_onnx_model_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"OpenVINO cannot read model\.onnx: "):
        load_onnx_for_openvino(tmp_path / "model.onnx", None)


@pytest.mark.parametrize("rows", ["rows", 2], ids=["any", "fixed"])
def test_an_archive_is_exported_with_its_conversion(rows: Any, tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    (folder / "MAR-INF").mkdir(parents=True)
    classifier(folder / "model.onnx", rows)
    model = {
        "modelName": "means",
        "modelVersion": "1.0",
        "handler": "image_classifier",
        "serializedFile": "model.onnx",
        "configFile": "model-config.yaml",
    }
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": model}))
    (folder / "model-config.yaml").write_text("handler: {resize: 8, crop: 8}\n")
    report = export_archive(folder, tmp_path / "new.mar", to="openvino", device="cpu")
    assert report.comparison.problem is None
    with load_archive(tmp_path / "new.mar") as started:
        assert len(ModelCaller.of(started.handler)._engine._caller._forms) == 1
