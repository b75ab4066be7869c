"""ONNX models: types, numbers of inputs and outputs, sizes of batches."""

from __future__ import annotations

import sys

import pytest
import torch
from onnx_writer import write_onnx

from ts.handler_utils.models.formats import onnx
from ts.handler_utils.models.formats.onnx import load_onnx

ANY = ("float", ("rows", 2))
TWO = ("float", (2, 2))


pytest.importorskip("onnxruntime")


def sums(path, kind=ANY):
    return write_onnx(path, [("Add", ["left", "right"], "sum")], {"left": kind, "right": kind}, {"sum": kind})


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", [ANY, TWO], ids=["any", "fixed"])
def test_batches_of_any_size_are_answered(kind, rows, tmp_path):
    model = load_onnx(sums(tmp_path / "model.onnx", kind), "cpu")
    batch = torch.arange(2.0 * rows).reshape(rows, 2)
    assert model(batch, batch).tolist() == (2 * batch).tolist()


@pytest.mark.parametrize("declared", ["float", "double", "float16", "int64"])
@pytest.mark.parametrize("given", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64])
def test_inputs_are_converted_to_the_types_that_the_model_declares(declared, given, tmp_path):
    model = load_onnx(sums(tmp_path / "model.onnx", (declared, ("rows", 2))), "cpu")
    batch = torch.tensor([[1, 2]], dtype=given)
    output = model(batch, batch)
    assert output.tolist() == [[2, 4]]
    assert output.dtype == getattr(torch, declared)


@pytest.mark.parametrize("kind", [ANY, TWO], ids=["any", "fixed"])
def test_several_outputs_are_a_list(kind, tmp_path):
    operators = [("Neg", ["batch"], "negative"), ("Abs", ["batch"], "absolute")]
    outputs = {"negative": kind, "absolute": kind}
    model = load_onnx(write_onnx(tmp_path / "model.onnx", operators, {"batch": kind}, outputs), "cpu")
    negative, absolute = model(torch.tensor([[1.0, -2.0]]))
    assert negative.tolist() == [[-1, 2]]
    assert absolute.tolist() == [[1, 2]]


def test_inputs_may_be_given_by_name(tmp_path):
    model = load_onnx(sums(tmp_path / "model.onnx"), "cpu")
    assert model(torch.ones(1, 2), right=torch.zeros(1, 2)).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("inputs", "named", "message"),
    [
        (1, {}, r"takes 2 inputs \(left, right\), but got 1"),
        (3, {}, r"takes 2 inputs \(left, right\), but got 3"),
        (
            1,
            {"middle": torch.ones(1, 2)},
            r"takes 2 inputs \(left, right\), but got 1 and those named middle",
        ),
    ],
)
def test_a_wrong_number_of_inputs_is_named(inputs, named, message, tmp_path):
    model = load_onnx(sums(tmp_path / "model.onnx"), "cpu")
    with pytest.raises(ValueError, match=message):
        model(*[torch.ones(1, 2)] * inputs, **named)


def test_what_is_no_onnx_model_is_told_for_what_it_is(tmp_path):
    torch.save({}, tmp_path / "model.onnx")
    with pytest.raises(
        ValueError, match=r"^model\.onnx is not a model that onnxruntime can run: it is a file of tor"
    ):
        load_onnx(tmp_path / "model.onnx", "cpu")


def test_without_onnxruntime_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        ImportError, match=r"model\.onnx is an ONNX model.*pip install 'torchserve-handlers\[onnx\]'"
    ):
        load_onnx(tmp_path / "model.onnx", "cpu")


def test_a_gpu_is_used_where_onnxruntime_has_it():
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert onnx._providers("cuda:1", both) == [
        ("CUDAExecutionProvider", {"device_id": 1}),
        "CPUExecutionProvider",
    ]
    assert onnx._providers("cuda", both)[0][1] == {"device_id": 0}
    assert onnx._providers("cpu", both) == onnx._providers(None, both) == ["CPUExecutionProvider"]


def test_an_onnxruntime_without_cuda_is_warned_of(caplog):
    assert onnx._providers("cuda:0", ["CPUExecutionProvider"]) == ["CPUExecutionProvider"]
    assert "onnxruntime-gpu runs ONNX models on CUDA" in caplog.text
