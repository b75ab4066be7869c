"""BaseHandler: how it loads a model of each format, and what it says of one that cannot be loaded."""

from __future__ import annotations

import logging
import os
import sys
import types
import zipfile

import pytest
import safetensors.torch
import torch
from at_hand import or_skip

from ts.torch_handler.base_handler import BaseHandler


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1, bias=False)

    def forward(self, batch):
        return self.layer(batch)


MODEL_FILE = """
import torch

class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1, bias=False)

    def forward(self, batch):
        return self.layer(batch)
"""


@pytest.fixture
def model_dir(tmp_path):
    torch.save({"layer.weight": torch.tensor([[1.0, 10.0]])}, tmp_path / "weights.pt")
    (tmp_path / "linear.py").write_text(MODEL_FILE)
    scripted = torch.jit.script(Linear())
    scripted.load_state_dict({"layer.weight": torch.tensor([[1.0, 10.0]])})
    scripted.save(str(tmp_path / "scripted.pt"))
    eager = Linear()
    eager.load_state_dict({"layer.weight": torch.tensor([[1.0, 10.0]])})
    exported = torch.export.export(
        eager, (torch.zeros(2, 2),), dynamic_shapes=({0: torch.export.Dim("rows")},)
    )
    torch.export.save(exported, str(tmp_path / "exported.pt2"))
    safetensors.torch.save_file(eager.state_dict(), tmp_path / "weights.safetensors")
    for suffix in ("pth", "bin"):
        torch.save(eager.state_dict(), tmp_path / f"weights.{suffix}")
        scripted.save(str(tmp_path / f"scripted.{suffix}"))
    return tmp_path


@pytest.mark.parametrize(
    "model",
    [
        {"modelFile": "linear.py", "serializedFile": "weights.pt"},
        {"modelFile": "linear.py", "serializedFile": "weights.pth"},
        {"modelFile": "linear.py", "serializedFile": "weights.bin"},
        {"modelFile": "linear.py", "serializedFile": "weights.safetensors"},
        {"serializedFile": "scripted.pt"},
        {"serializedFile": "scripted.pth"},
        {"serializedFile": "scripted.bin"},
        {"serializedFile": "exported.pt2"},
    ],
    ids=lambda model: model["serializedFile"],
)
def test_a_model_of_each_format_is_loaded_and_answers(model, model_dir, make_context):
    handler = BaseHandler()
    context = make_context(model_dir, **model)
    handler.initialize(context)
    assert handler.initialized
    assert handler.device == torch.device("cpu")
    assert handler.map_location == "cpu"
    assert handler.mapping is None
    assert handler.model_pt_path == str(model_dir / model["serializedFile"])
    assert handler.handle([{"data": [1.0, 2.0]}, {"data": [3.0, 4.0]}], context) == [[21.0], [43.0]]


@pytest.mark.parametrize("config", [None, {}, {"handler": None}])
def test_model_config_may_be_absent_or_empty(config, model_dir, make_context):
    handler = BaseHandler()
    handler.initialize(make_context(model_dir, config=config, serializedFile="scripted.pt"))
    assert handler.model_yaml_config == (config or {})


def test_an_aotinductor_package_is_told_by_what_it_holds(model_dir, make_context, monkeypatch):
    with zipfile.ZipFile(model_dir / "compiled.pt2", "w") as package:
        package.writestr("compiled/data/aotinductor/model/code.so", b"")
    monkeypatch.setattr(torch._inductor, "aoti_load_package", lambda path: ("compiled", path), raising=False)
    handler = BaseHandler()
    handler.initialize(make_context(model_dir, serializedFile="compiled.pt2"))
    assert handler.model.model == ("compiled", str(model_dir / "compiled.pt2"))


def test_an_onnx_model_answers(make_context):
    pytest.importorskip("onnxruntime")
    from examples.assets import U2NETP, fetch

    path = or_skip(fetch, U2NETP)
    handler = BaseHandler()
    context = make_context(path.parent, serializedFile=path.name)
    handler.initialize(context)
    saliency = handler.inference(torch.zeros(1, 3, 320, 320))[0]
    assert saliency.shape == (1, 1, 320, 320)
    assert 0 <= saliency.min() <= saliency.max() <= 1


def test_labels_are_loaded(model_dir, make_context):
    (model_dir / "index_to_name.json").write_text('{"0": ["n01", "one"]}')
    handler = BaseHandler()
    handler.initialize(make_context(model_dir, serializedFile="scripted.pt"))
    assert handler.mapping == {"0": "one"}


def test_a_gpu_id_chooses_the_gpu(monkeypatch):
    from ts.handler_utils.models.device import choose_device

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device(1) == torch.device("cuda:1")
    assert choose_device(None) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device(0) == torch.device("mps")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ({"serializedFile": "absent.pt"}, FileNotFoundError, "no serialized file absent.pt"),
        ({"modelFile": "absent.py"}, FileNotFoundError, "no model file absent.py"),
        ({"serializedFile": "weights.pt"}, ValueError, "weights.pt is not a TorchScript file"),
        (
            {"serializedFile": "linear.pt2"},
            ValueError,
            "linear.pt2 is not a model that torch.export.save wrote",
        ),
        ({"modelFile": "two.py"}, ValueError, "exactly one model class .*: found Linear, Other"),
        ({"modelFile": "none.py"}, ValueError, "exactly one model class .*: found none"),
        ({}, ValueError, "neither a serialized file nor a model file"),
    ],
)
def test_what_cannot_be_loaded_is_said(model, error, message, model_dir, make_context):
    (model_dir / "two.py").write_text(MODEL_FILE + "\n\nclass Other(torch.nn.Module):\n    pass\n")
    (model_dir / "none.py").write_text("")
    (model_dir / "linear.pt2").write_text("no model")
    with pytest.raises(error, match=message):
        BaseHandler().initialize(make_context(model_dir, **model))


def test_a_setting_names_one_of_several_model_classes(model_dir, make_context):
    (model_dir / "two.py").write_text(MODEL_FILE + "\n\nclass Other(torch.nn.Module):\n    pass\n")
    handler = BaseHandler()
    config = {"handler": {"model_class": "Other"}}
    handler.initialize(make_context(model_dir, config=config, modelFile="two.py"))
    assert type(handler.model).__name__ == "Other"
    config = {"handler": {"model_class": "Third"}}
    with pytest.raises(ValueError, match=r"two\.py must define the class Third: found Linear, Other"):
        BaseHandler().initialize(make_context(model_dir, config=config, modelFile="two.py"))


def test_weights_are_read_without_running_code(model_dir, make_context, tmp_path):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"layer.weight": Payload()}, model_dir / "bad.pt")
    with pytest.raises(Exception, match=r"weights_only|Weights only"):
        BaseHandler().initialize(make_context(model_dir, modelFile="linear.py", serializedFile="bad.pt"))
    assert not (tmp_path / "ran").exists()


def test_a_subclass_may_bring_its_own_model(tmp_path, make_context):
    class OwnModel(BaseHandler):
        def initialize(self, context):
            super().initialize(context)
            self.model = Linear()

    handler = OwnModel()
    handler.initialize(make_context(tmp_path))
    assert handler.initialized


def test_a_subclass_overrides_how_its_model_is_loaded(model_dir, make_context):
    class Own(BaseHandler):
        def _load_torchscript_model(self, model_pt_path):
            return ("loaded", model_pt_path)

    handler = Own()
    handler.initialize(make_context(model_dir, serializedFile="scripted.pt"))
    assert handler.model == ("loaded", str(model_dir / "scripted.pt"))


@pytest.mark.parametrize(
    ("wrong", "meant"), [("profil", "profile"), ("Precision", "precision"), ("microbatch", "micro_batch")]
)
def test_a_misspelt_setting_stops_the_load_with_the_nearest(model_dir, make_context, wrong, meant):
    context = make_context(model_dir, config={"handler": {wrong: True}}, serializedFile="scripted.pt")
    with pytest.raises(
        ValueError, match=rf"handler\.{wrong} is not a setting of this handler; did you mean `{meant}`"
    ):
        BaseHandler().initialize(context)


def test_an_unknown_setting_is_warned_about(model_dir, make_context, caplog):
    config = {"handler": {"greeting": True}}
    BaseHandler().initialize(make_context(model_dir, config=config, serializedFile="scripted.pt"))
    assert "handler.greeting is not a setting of this handler (settings: profile, " in caplog.text


def test_a_misspelt_key_at_the_top_is_warned_about_with_the_nearest(model_dir, make_context, caplog):
    config = {"batchsize": 4, "maxBatchdelay": 10, "my_section": {}, "minWorkers": 1, "precision": "float16"}
    BaseHandler().initialize(make_context(model_dir, config=config, serializedFile="scripted.pt"))
    assert "model-config.yaml: TorchServe knows no key batchsize; did you mean `batchSize`?" in caplog.text
    assert "no key maxBatchdelay; did you mean `maxBatchDelay`?" in caplog.text
    assert "precision is a setting only in the section `handler:`" in caplog.text
    assert "my_section" not in caplog.text


def test_a_subclass_may_have_settings_of_its_own(model_dir, make_context, caplog):
    class Own(BaseHandler):
        pass

    handler = Own()
    config = {"handler": {"greeting": "hello"}}
    with caplog.at_level(logging.WARNING):
        handler.initialize(make_context(model_dir, config=config, serializedFile="scripted.pt"))
    assert handler.model_yaml_config["handler"]["greeting"] == "hello"
    assert "greeting" not in caplog.text


@pytest.mark.parametrize(
    ("pt2", "expected"),
    [
        ("eager", {"backend": "eager"}),
        ({"backend": "eager", "dynamic": True}, {"backend": "eager", "dynamic": True}),
        ({"compile": {"enable": True, "backend": "eager"}}, {"backend": "eager"}),
        ({"compile": {"backend": "eager"}}, {"backend": "eager"}),
        ({"compile": {"enable": False, "backend": "eager"}}, None),
        ({"export": {"aot_compile": True}}, None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_each_form_of_pt2_is_understood(pt2, expected, model_dir, make_context, monkeypatch):
    calls = []
    monkeypatch.setattr(torch, "compile", lambda model, **options: calls.append(options) or model)
    config = {"pt2": pt2}
    model = {"modelFile": "linear.py", "serializedFile": "weights.pt"}
    handler = BaseHandler()
    if pt2 == {"export": {"aot_compile": True}}:
        handler._load_torch_export_aot_compile = lambda path: path
        model = {"serializedFile": "scripted.pt"}
    handler.initialize(make_context(model_dir, config=config, **model))
    assert calls == ([expected] if expected else [])


def test_ts_ipex_enable_has_intels_extension_optimize_the_model(model_dir, make_context, monkeypatch):
    extension = types.ModuleType("intel_extension_for_pytorch")
    extension.optimize = lambda model: ("optimized", type(model).__name__)
    monkeypatch.setitem(sys.modules, "intel_extension_for_pytorch", extension)
    monkeypatch.setenv("TS_IPEX_ENABLE", "true")
    handler = BaseHandler()
    handler.initialize(make_context(model_dir, modelFile="linear.py", serializedFile="weights.pt"))
    assert handler.model == ("optimized", "Linear")


def test_ts_ipex_enable_without_the_extension_is_said(model_dir, make_context, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "intel_extension_for_pytorch", None)
    monkeypatch.setenv("TS_IPEX_ENABLE", "true")
    BaseHandler().initialize(make_context(model_dir, modelFile="linear.py", serializedFile="weights.pt"))
    assert "intel_extension_for_pytorch is not installed" in caplog.text
