"""Handlers that import torchserve's modules answer where torchserve is not installed, and just as where it is."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HANDLER = """
import json

from ts.context import Context, RequestProcessor
from ts.handler_utils.utils import import_class, send_intermediate_predict_response
from ts.metrics.caching_metric import CachingMetric
from ts.metrics.dimension import Dimension
from ts.metrics.metric_cache_errors import MetricsCacheKeyError
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.metrics.metric_type_enum import MetricTypes
from ts.metrics.metrics_store import MetricsStore
from ts.protocol.otf_message_handler import send_intermediate_predict_response as older
from ts.service import PredictionException, emit_metrics


class Handler:
    def initialize(self, context):
        metrics = context.metrics
        self.defined = metrics.get_metric("Tokens", MetricTypes.HISTOGRAM)
        self.declared: CachingMetric = metrics.add_metric_to_cache("Own", "count", ["Kind"], MetricTypes.GAUGE)
        metrics.add_counter("Starts", 1)

    def handle(self, data, context: Context):
        text = bytes(data[0]["body"]).decode()
        if text == "refuse":
            raise PredictionException("no such thing", 404)
        self.defined.add_or_update(len(text), [context.model_name], context.get_request_id())
        self.declared.add_or_update(2, ["x"])
        try:
            context.metrics.get_metric("Tokens")
        except MetricsCacheKeyError:
            context.metrics.add_size("Missing", 1, 0, dimensions=[Dimension("Kind", "y")])
        emit_metrics(context.metrics.store)
        for send in (send_intermediate_predict_response, older):
            send([{"part": send.__name__}], context.request_ids, "said", 200, context)
        made = import_class("json.JSONDecoder")().decode("[1]")
        return [[made, context.get_sequence_id(0), str(Dimension("a", 1)), Dimension("a", 1).to_dict()]]
"""
METRICS = "model_metrics: {histogram: [{name: Tokens, unit: count, dimensions: [ModelName]}]}\n"

ASK = """
import json, sys
from ts.runner import load_archive

with load_archive(sys.argv[1], device="cpu", metrics_file=sys.argv[2]) as model:
    answers = model.predict([b"hello", b"refuse"], headers={"ts_request_sequence_id": "s1"})
    measured = [[*item[:3], bool(item[3]), *item[4:]] for item in model.metrics.measurements]
print(json.dumps([[[a.status, a.response, [p.response for p in a.intermediate]] for a in answers], measured]))
"""
MODEL = {"ModelName": "tiny", "Level": "Model"}
SAID = [
    [
        [
            200,
            [[1], "s1", "a:1", {"Name": "a", "Value": 1}],
            [{"part": "send_intermediate_predict_response"}] * 2,
        ],
        [404, {"code": 404, "type": "InternalServerException", "message": "no such thing"}, []],
    ],
    [
        ["Starts", 1, "count", True, MODEL, "counter"],
        ["Tokens", 5, "count", True, {"ModelName": "tiny"}, "histogram"],
        ["Own", 2, "count", False, {"Kind": "x"}, "gauge"],
        ["Missing", 1, "MB", True, {"Kind": "y", **MODEL}, "gauge"],
    ],
]


@pytest.fixture
def arguments(build: Callable[..., Path], tmp_path: Path) -> list[str]:
    (tmp_path / "metrics.yaml").write_text(METRICS)
    return [str(build("own.py", {"own.py": HANDLER})), str(tmp_path / "metrics.yaml")]


def test_a_handler_answers_without_torchserve(arguments: list[str], without_torchserve: Run) -> None:
    done = without_torchserve(ASK, *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == SAID


def test_and_equally_with_it(arguments: list[str]) -> None:
    if importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed")
    command = [sys.executable, "-W", "ignore", "-c", ASK, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(done.stdout) == SAID, done.stderr


def test_a_module_that_has_no_stand_in_is_named_with_what_to_install(
    build: Callable[..., Path], without_torchserve: Run
) -> None:
    path = build("own.py", {"own.py": "from ts.torch_handler.distributed import base_pippy_handler"})
    done = without_torchserve(
        "from ts.runner.main import main; sys.exit(main())",
        "predict",
        str(path),
        str(path),
        "--device",
        "cpu",
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"torch-model-runner: handler 'own.py' of {path} did not start: ModuleNotFoundError: No module named"
        " 'ts.torch_handler.distributed' (a module of torchserve's: pip install 'torchserve-handlers[server]')\n"
    )


TESTED = """
import sys
from ts.context import Context, RequestProcessor
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.metrics.metric_type_enum import MetricTypes
from ts.metrics.metrics_store import MetricsStore

cache = MetricsCacheYamlImpl(sys.argv[1])
assert cache.cache == {}
cache.initialize_cache()
assert list(cache.cache) == [MetricTypes.HISTOGRAM], cache.cache
cache.get_metric("Tokens", MetricTypes.HISTOGRAM).add_or_update(3, ["m"])
store = MetricsStore({0: "id0"}, "m")
store.add_counter("Calls", 1, 0)
context = Context("m", "/d", {}, 1, None, "0.12.0", metrics=store)
context.request_processor = [RequestProcessor({"a": "b"})]
print([item.value for item in cache.store], [str(item) for item in context.metrics.store])
"""


def test_what_tests_of_handlers_make_is_there(arguments: list[str], without_torchserve: Run) -> None:
    done = without_torchserve("import ts.runner\n" + TESTED, arguments[1])
    assert done.stdout == "[3] ['Calls.count:1|#ModelName:m,Level:Model|#type:COUNTER']\n", done.stderr


@pytest.mark.parametrize("name", ["Nowhere", "json.Nowhere", "", "absent_module.A"])
def test_a_class_that_is_nowhere_is_an_import_error(name: str) -> None:
    from ts.runner.standins.handler_utils.utils import import_class

    with pytest.raises(ImportError):
        import_class(name)


def test_a_class_is_imported_from_a_module_that_is_a_prefix() -> None:
    from ts.runner.standins.handler_utils.utils import import_class

    assert import_class("JSONDecoder", "json") is json.JSONDecoder
    assert import_class("decoder.JSONDecoder", "json") is json.JSONDecoder


STANDINS = Path(importlib.import_module("ts.runner.standins").__file__ or "").parent


def standins() -> list[str]:
    paths = [path.relative_to(STANDINS).with_suffix("") for path in STANDINS.rglob("*.py")]
    return sorted(".".join(path.parts) for path in paths if path.name != "__init__")


@pytest.mark.parametrize("module", standins())
def test_a_stand_in_has_no_name_that_torchserves_module_has_not(module: str) -> None:
    if importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed")
    ours = importlib.import_module(f"ts.runner.standins.{module}")
    theirs = importlib.import_module(f"ts.{module}")
    assert str(STANDINS) not in (theirs.__file__ or "")
    own = {name: value for name, value in vars(ours).items() if is_own(value, ours)}
    for name in {*own, *getattr(ours, "__all__", ())}:
        assert hasattr(theirs, name), name
    for name, value in own.items():
        assert parameters(value) == parameters(getattr(theirs, name)), name


def is_own(value: Any, module: Any) -> bool:
    return (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == module.__name__


def parameters(value: Any) -> list[str]:
    if inspect.isclass(value) and issubclass(value, Exception):
        return []  # torchserve's take the message by name, which nobody but its own code makes
    return list(inspect.signature(value).parameters)
