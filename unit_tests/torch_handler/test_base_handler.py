"""BaseHandler: how it loads, and how it answers a batch whatever its rows and its subclass do."""

from __future__ import annotations

import logging
import os
import sys
import types
import zipfile

import pytest
import safetensors.torch
import torch

from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


class Doubler(BaseHandler):
    """Answers a number with its double; the model is Python's."""

    def __init__(self):
        super().__init__()
        self.initialized = True
        self.model = lambda batch: batch * 2
        self.batches = []

    def inference(self, data, *args, **kwargs):
        self.batches.append(data.tolist())
        return super().inference(data)


class FailsInPreprocess(Doubler):
    def preprocess(self, data):
        return torch.tensor([float(row["data"]) for row in data])


class FailsInInference(Doubler):
    def inference(self, data, *args, **kwargs):
        if (data < 0).any():
            raise RuntimeError("a negative number")
        return super().inference(data)


class FailsInPostprocess(Doubler):
    def postprocess(self, data):
        if (data < 0).any():
            raise PredictionException("a negative number", 422)
        return super().postprocess(data)


class NamesItsBadRows(Doubler):
    def preprocess(self, data):
        bad = {i: InvalidInput("a negative number") for i, row in enumerate(data) if row["data"] < 0}
        if bad:
            raise RowErrors(bad)
        return super().preprocess(data)


class ForgetsRows(Doubler):
    def postprocess(self, data):
        return super().postprocess(data)[:1]


def rows(*values):
    return [{"data": value} for value in values]


@pytest.mark.parametrize(
    ("handler", "bad", "status"),
    [
        (FailsInPreprocess, "x", 400),
        (FailsInInference, -1, 503),
        (FailsInPostprocess, -1, 422),
        (NamesItsBadRows, -1, 400),
    ],
)
def test_a_row_that_fails_in_any_hook_fails_alone(handler, bad, status, make_context):
    context = make_context()
    answers = handler().handle(rows(1.0, 2.0, bad, 4.0, 5.0), context)
    assert answers[:2] + answers[3:] == [2.0, 4.0, 8.0, 10.0]
    assert answers[2].keys() == {"code", "type", "message"}
    assert answers[2]["code"] == status
    assert context.statuses == {2: status}


def test_named_rows_are_left_out_and_the_others_stay_one_batch(make_context):
    handler = NamesItsBadRows()
    handler.handle(rows(1.0, -2.0, 3.0, -4.0), make_context())
    assert handler.batches == [[1.0, 3.0]]


def test_a_handler_that_answers_only_the_first_row_answers_each(make_context):
    assert ForgetsRows().handle(rows(1.0, 2.0, 3.0), make_context()) == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
        ),
    ],
)
def test_out_of_memory_halves_the_batch(error, make_context):
    class HoldsTwo(Doubler):
        def inference(self, data, *args, **kwargs):
            if len(data) > 2:
                raise error
            return super().inference(data)

    handler = HoldsTwo()
    assert handler.handle(rows(1.0, 2.0, 3.0, 4.0), make_context()) == [2.0, 4.0, 6.0, 8.0]
    assert handler.batches == [[1.0, 2.0], [3.0, 4.0]]


def test_a_row_that_does_not_fit_alone_gets_507(make_context):
    class HoldsNothing(Doubler):
        def inference(self, data, *args, **kwargs):
            raise MemoryError

    context = make_context()
    (answer,) = HoldsNothing().handle(rows(1.0), context)
    assert (answer["code"], context.statuses) == (507, {0: 507})


def test_hooks_see_the_headers_and_set_the_statuses_of_the_rows_they_were_given(make_context):
    class Polite(NamesItsBadRows):
        def postprocess(self, data):
            names = [self.context.get_request_header(row, "name") for row in range(len(data))]
            for row, name in enumerate(names):
                self.context.set_response_status(201, "Created", row)
                assert self.context.get_request_id(row) == f"request-{name}"
            return names

    context = make_context(headers={i: {"name": str(i)} for i in range(4)})
    answers = Polite().handle(rows(1.0, -2.0, 3.0, 4.0), context)
    assert [answers[0], *answers[2:]] == ["0", "2", "3"]
    assert context.statuses == {0: 201, 1: 400, 2: 201, 3: 201}


def test_each_row_gets_its_own_kind_of_answer(make_context):
    class Explainer(Doubler):
        def get_insights(self, tensor_data, _, target=0):
            return [f"{value} because {target}" for value in tensor_data.tolist()]

    context = make_context(headers={1: {"explain": "True"}, 2: {"describe": "True"}})
    answers = Explainer().handle(rows(1.0, 2.0, 3.0), context)
    assert answers[:2] == [2.0, "2.0 because 0"]
    assert answers[2]["handler"] == "Explainer"
    assert context.statuses == {}


def test_a_handler_without_insights_refuses_to_explain(make_context):
    context = make_context(headers={0: {"explain": "True"}})
    answers = Doubler().handle(rows(1.0, 2.0), context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"] == "Doubler gives no explanations"
    assert answers[1] == 4.0


def test_nothing_of_a_batch_is_left_for_the_next(make_context):
    handler = NamesItsBadRows()
    handler.handle(rows(-1.0, 2.0), make_context(headers={1: {"explain": "True"}}))
    context = make_context()
    assert handler.handle(rows(1.0, 2.0), context) == [2.0, 4.0]
    assert context.statuses == {}


def test_no_rows_no_answers(make_context):
    assert Doubler().handle([], make_context()) == []


def test_the_time_of_each_batch_is_reported_in_milliseconds(make_context):
    context = make_context()
    Doubler().handle(rows(1.0), context)
    ((name, value, unit),) = context.metrics.times
    assert (name, unit) == ("HandlerTime", "ms")
    assert value >= 0


def test_profile_reports_the_time_of_each_hook(make_context):
    context = make_context(config={"handler": {"profile": True}})
    Doubler().handle(rows(1.0), context)
    names = [name for name, _, _ in context.metrics.times]
    assert names == [
        "ts_handler_preprocess",
        "ts_handler_inference",
        "ts_handler_postprocess",
        "HandlerTime",
    ]


def test_enable_torch_profiler_writes_a_trace(make_context, tmp_path, monkeypatch):
    monkeypatch.setenv("ENABLE_TORCH_PROFILER", "true")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    context = make_context()
    handler = Doubler()
    handler.manifest = context.manifest
    assert handler.handle(rows(1.0), context) == [2.0]
    assert list((tmp_path / "pytorch_profiler" / "test").glob("*.pt.trace.json"))


# Loading


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
    assert handler.handle(rows([1.0, 2.0], [3.0, 4.0]), context) == [[21.0], [43.0]]


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
    from examples.assets import U2NETP, AssetError, fetch

    try:
        path = fetch(U2NETP)
    except AssetError as error:
        pytest.skip(f"the real weights are not to be had: {error}")
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


def test_an_unknown_setting_is_warned_about_with_the_nearest(model_dir, make_context, caplog):
    config = {"handler": {"profil": True}}
    with caplog.at_level(logging.WARNING):
        BaseHandler().initialize(make_context(model_dir, config=config, serializedFile="scripted.pt"))
    assert "handler.profil is not a setting of this handler; did you mean `profile`?" in caplog.text


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
