"""--serialized-file: what goes with which model file, architecture and settings. Nothing is loaded."""

from __future__ import annotations

import json
import zipfile

import pytest
from model_archiver.model_archiver_error import ModelArchiverError


def write_parts(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(f"weights/{name}", b"")


@pytest.fixture
def files(inputs):
    """State dicts in both forms, TorchScript, torch.export, ONNX; and settings."""
    pytest.importorskip("yaml")
    write_parts(inputs / "state.pth", "data.pkl", "data/0", "version")
    write_parts(inputs / "scripted.pt", "data.pkl", "constants.pkl", "code/model.py")
    write_parts(inputs / "exported.pt2", "models/model.json")
    (inputs / "state.safetensors").write_bytes(b"")
    (inputs / "model.onnx").write_bytes(b"\x08\x08")
    (inputs / "model.so").write_bytes(b"\x7fELF")
    (inputs / "named.yaml").write_text("handler: {architecture: resnet18}\n")
    (inputs / "trusting.yaml").write_text("handler: {trust_pickle: true}\n")
    return inputs


@pytest.mark.parametrize("handler", ["image_classifier", "answer.py"])
@pytest.mark.parametrize(
    "options",
    [
        {"serialized_file": "scripted.pt"},
        {"serialized_file": "exported.pt2"},
        {"serialized_file": "model.onnx"},
        {"serialized_file": "model.so"},
        {"serialized_file": "weights.pt"},
        {"serialized_file": "state.pth", "model_file": "net.py"},
        {"serialized_file": "state.safetensors", "model_file": "net.py"},
        {"serialized_file": "state.pth", "config_file": "named.yaml"},
        {"serialized_file": "state.safetensors", "config_file": "named.yaml"},
        {"serialized_file": "state.pth", "config_file": "trusting.yaml"},
        {"model_file": "net.py"},
    ],
    ids=lambda options: " ".join(options.values()),
)
def test_each_format_is_packed(pack, files, contents, handler, options):
    packed = contents(pack(handler=handler, **options))
    assert set(options.values()) <= set(packed)
    model = json.loads(packed["MAR-INF/MANIFEST.json"])["model"]
    assert model.get("serializedFile") == options.get("serialized_file")
    assert model.get("modelFile") == options.get("model_file")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"serialized_file": "state.pth"},
            "^the serialized file state.pth holds weights alone: give their class by",
        ),
        (
            {"serialized_file": "state.safetensors"},
            "^the serialized file state.safetensors holds weights alone",
        ),
        (
            {"config_file": "named.yaml"},
            "^the config file names an architecture, resnet18: its weights go into",
        ),
        (
            {"serialized_file": "state.pth", "model_file": "net.py", "config_file": "named.yaml"},
            "^the config file names an architecture, resnet18, and there is a model file, net.py: either",
        ),
    ],
)
def test_what_no_default_handler_could_load_is_refused(pack, files, options, message):
    with pytest.raises(ModelArchiverError, match=message):
        pack(handler="image_classifier", **options)


def test_a_handler_of_ones_own_may_read_weights_alone(pack, files, contents):
    assert "state.pth" in contents(pack(serialized_file="state.pth"))
