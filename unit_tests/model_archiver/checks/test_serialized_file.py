"""--serialized-file: what goes with which model file, architecture and settings. Nothing is loaded."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
import torch
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


@pytest.fixture(scope="module")
def saved():
    """The bytes that torch.save writes of these, in the pickle protocols that it may be told."""
    layer = torch.nn.Linear(2, 2)
    objects = {
        "whole": layer,
        "sequence": torch.nn.Sequential(layer),
        "array": torch.zeros(2).numpy(),
        "weights": layer.state_dict(),
        "plain dictionary": dict(layer.state_dict()),
        "checkpoint": {"state_dict": layer.state_dict(), "epoch": 3},
        "tensor": torch.zeros(2),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
    }
    found = {}
    for name, value in objects.items():
        for protocol in (2, 4):
            stream = io.BytesIO()
            torch.save(value, stream, pickle_protocol=protocol)
            found[name, protocol] = stream.getvalue()
    return found


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("whole", r"torch\.nn\.modules\.linear\.Linear"),
        ("sequence", r"torch\.nn\.modules\.container\.Sequential"),
        ("array", r"numpy\..*"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"model_file": "net.py"}, {"config_file": "named.yaml"}])
def test_a_pickled_object_is_called_what_it_is(pack, files, saved, name, kind, protocol, options):
    (files / "object.pt").write_bytes(saved[name, protocol])
    with pytest.raises(
        ModelArchiverError, match=rf"^the serialized file object\.pt is a pickled object of {kind}, and"
    ):
        pack(handler="image_classifier", serialized_file="object.pt", **options)


@pytest.mark.parametrize("name", ["whole", "sequence", "array"])
def test_a_pickled_object_may_be_trusted(pack, files, saved, name, contents):
    (files / "object.pt").write_bytes(saved[name, 2])
    archive = pack(handler="base_handler", serialized_file="object.pt", config_file="trusting.yaml")
    assert contents(archive)["object.pt"] == saved[name, 2]


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", ["weights", "plain dictionary", "checkpoint", "tensor", "parameter"])
def test_weights_in_any_form_are_no_such_object(pack, files, saved, name, protocol, contents):
    (files / "weights.pth").write_bytes(saved[name, protocol])
    archive = pack(handler="image_classifier", serialized_file="weights.pth", model_file="net.py")
    assert contents(archive)["weights.pth"] == saved[name, protocol]
    with pytest.raises(ModelArchiverError, match=r"^the serialized file weights\.pth holds weights alone"):
        pack(handler="image_classifier", serialized_file="weights.pth", force=True)


def test_a_pointer_of_git_lfs_is_no_model(pack, files):
    (files / "model.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(ModelArchiverError, match=r"^the serialized file model\.onnx is a pointer of Git LFS"):
        pack(handler="image_classifier", serialized_file="model.onnx")


def test_a_handler_of_ones_own_may_read_weights_alone(pack, files, contents):
    assert "state.pth" in contents(pack(serialized_file="state.pth"))


def write_pickle(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("weights/data.pkl", content)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x8d\x00\x00\x00\x00\x00\x01\x00\x00.",
        b"\x80\x02}r\x00\x00\x00\x80.",
        b"\x80\x02" + b"]" * 2_000_000,
        b"\x80\x04\x93.",
        b"",
        b"\xff",
    ],
    ids=[
        "a text of 2**40 bytes",
        "a memo of 2**31 entries",
        "a million lists",
        "no name",
        "empty",
        "no pickle",
    ],
)
@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"]
)
def test_a_hostile_pickle_is_looked_at_and_not_read(pack, inputs, content, compression):
    write_pickle(inputs / "hostile.pth", content, compression)
    with pytest.raises(ModelArchiverError, match="holds weights alone"):
        pack(handler="image_classifier", serialized_file="hostile.pth")


def test_a_pickle_that_would_run_code_is_named_and_does_not_run(pack, inputs):
    write_pickle(inputs / "hostile.pth", b"\x80\x02cos\nmkdir\nX\x03\x00\x00\x00ran\x85R.")
    with pytest.raises(ModelArchiverError, match=r"is a pickled object of os\.mkdir"):
        pack(handler="image_classifier", serialized_file="hostile.pth", model_file="net.py")
    assert not (inputs / "ran").exists()


@pytest.mark.parametrize(
    ("config", "passes"), [('{"model_type": "bert"}', True), ("{}", False), ("{", False)]
)
def test_weights_beside_a_saved_models_config_need_no_other_network(config, passes, pack, inputs):
    (inputs / "saved").mkdir()
    (inputs / "saved" / "config.json").write_text(config)
    (inputs / "state.safetensors").write_bytes(b"\x02" + b"\x00" * 7 + b"{}")
    options = {"serialized_file": "state.safetensors", "extra_files": "saved", "handler": "text_classifier"}
    if passes:
        assert pack(**options).is_file()
        return
    with pytest.raises(ModelArchiverError, match="holds weights alone"):
        pack(**options)
