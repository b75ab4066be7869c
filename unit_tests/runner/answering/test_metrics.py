from __future__ import annotations

import importlib
import importlib.util
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from ts.metrics.dimension import Dimension
from ts.metrics.metric_type_enum import MetricTypes

from ts.runner.answering.metrics import Measurement, Metrics
from ts.runner.answering.metrics_file import Definition

IDS = {0: "id0", 1: "id1"}
MODEL = {"ModelName": "tiny", "Level": "Model"}


@pytest.fixture
def metrics() -> Metrics:
    made = Metrics("tiny")
    made.set_request_ids(IDS)
    return made


def test_what_a_handler_measures_is_kept_in_order(metrics: Metrics) -> None:
    metrics.add_time("HandlerTime", 12.5)
    metrics.add_counter("Calls", 1, 1)
    metrics.add_size("Model", 3, unit="GB", dimensions=[Dimension("Layer", "fc")])
    metrics.add_percent("Load", 50, metric_type=MetricTypes.HISTOGRAM)
    metrics.add_error("Errors", 2)
    metrics.add_metric("Words", 7, "count")
    assert metrics.measurements == [
        Measurement("HandlerTime", 12.5, "ms", "id0,id1", MODEL, "gauge"),
        Measurement("Calls", 1, "count", "id1", MODEL, "counter"),
        Measurement("Model", 3, "GB", "id0,id1", {"Layer": "fc", **MODEL}, "gauge"),
        Measurement("Load", 50, "percent", "id0,id1", MODEL, "histogram"),
        Measurement("Errors", 2, "", None, {"Level": "Error"}, "counter"),
        Measurement("Words", 7, "count", "id0,id1", MODEL, "counter"),
    ]
    assert str(metrics.store[1]) == "Calls.count:1|#ModelName:tiny,Level:Model|#type:COUNTER"


def test_the_values_of_one_metric_are_read_by_its_name(metrics: Metrics) -> None:
    for value in (1, 2):
        metrics.add_time("HandlerTime", value)
    assert metrics.values("HandlerTime") == [1, 2]
    assert metrics.values("Absent") == []


def test_a_declared_metric_records_under_its_unit(metrics: Metrics) -> None:
    declared = metrics.add_metric_to_cache("Tokens", "count", ["ModelName"])
    declared.add_or_update(5, ["tiny"], "id0")
    metrics.get_metric("Tokens").update(6, dimensions=[Dimension("Own", 1)])
    assert metrics.measurements == [
        Measurement("Tokens", 5, "count", "id0", {"ModelName": "tiny"}, "counter"),
        Measurement("Tokens", 6, "count", None, {"Own": 1}, "counter"),
    ]


def test_a_defined_metric_needs_no_declaration() -> None:
    metrics = Metrics("tiny", [Definition("Tokens", "count", ["ModelName"], MetricTypes.HISTOGRAM)])
    metrics.get_metric("Tokens", MetricTypes.HISTOGRAM).add_or_update(5, ["tiny"])
    assert metrics.measurements == [
        Measurement("Tokens", 5, "count", None, {"ModelName": "tiny"}, "histogram")
    ]
    with pytest.raises(KeyError):
        metrics.get_metric("HandlerTime", MetricTypes.GAUGE)


# Each by name, and what it is called with; the last ones on a metric that is declared.
CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("add_time", ("HandlerTime", 12.5, None, "ms", [])),
    ("add_time", ("Wait", 2, 0, "s", [])),
    ("add_time", ("Wait", 2, 0, "minutes", [])),
    ("add_counter", ("Calls", 3, 1, [Dimension("Kind", "x")])),
    ("add_counter", ("Calls", 3, 7, [Dimension("Level", "Own")])),
    ("add_counter", ("Calls", -1, None, [])),
    ("add_counter", ("Calls", "three", None, [])),
    ("add_size", ("Size", 5, None, "kB", [], MetricTypes.HISTOGRAM)),
    ("add_size", ("Size", 5, None, "TB", [])),
    ("add_percent", ("Load", -5, None, [])),
    ("add_error", ("Errors", 1, [])),
    ("add_metric", ("Words", 7, "words", None, [], MetricTypes.GAUGE)),
    ("add_metric", ("Words", 7, "words", None, [], "gauge")),
    ("add_metric_to_cache", ("Tokens", "count", ["ModelName"], MetricTypes.GAUGE)),
    ("add_metric_to_cache", ("Tokens", "count", "ModelName", MetricTypes.GAUGE)),
    ("add_metric_to_cache", ("Tokens", 3, ["ModelName"])),
    ("add_metric_to_cache", (3, "count", ["ModelName"])),
    ("get_metric", ("Declared",)),
    ("get_metric", ("Declared", MetricTypes.GAUGE)),
    ("get_metric", ("Declared", "counter")),
    ("get_metric", ("HandlerTime", MetricTypes.GAUGE)),
    ("get_metric", ("PredictionTime", MetricTypes.GAUGE)),
    ("add_counter", ("Declared", 1, None, [])),
    ("add_counter", ("Declared", 1, None, [Dimension("ModelName", "m"), Dimension("Level", "l")])),
    ("add_or_update", (5, ["m"], "id0")),
    ("add_or_update", (5, ["m"])),
    ("add_or_update", (5, ["m", "l"])),
    ("add_or_update", (5, None)),
    ("add_or_update", (-5, ["m"])),
    ("update", (5, "id0", [Dimension("ModelName", "m"), Dimension("Level", "l")])),
]
EMITTED = re.compile(r"\[METRICS\](.+)\.\w+:(.+)\|#(.*)\|#type:(\w+)\|#hostname:[^,]+,\d+(?:,(.+))?")


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_each_call_does_what_it_does_in_torchserve(
    name: str, arguments: tuple[Any, ...], metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    if importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed")
    module = importlib.import_module("ts.metrics.metric_cache_yaml_impl")
    theirs = module.MetricsCacheYamlImpl(str(Path(module.__file__).parents[1] / "configs" / "metrics.yaml"))
    theirs.initialize_cache()
    theirs.model_name = "tiny"
    theirs.set_request_ids(IDS)
    with caplog.at_level(logging.INFO, "ts.metrics.caching_metric"):
        error = call(theirs, name, arguments)
    lines = [EMITTED.fullmatch(message) for message in caplog.messages]
    expected = [line.groups() for line in lines if line]
    ours = call(metrics, name, arguments)
    assert ours is error or issubclass(ours or object, error or type(None))
    assert [as_emitted(measurement) for measurement in metrics.measurements] == expected


def call(metrics: Any, name: str, arguments: tuple[Any, ...]) -> type[Exception] | None:
    """Makes a call, on a metric that is declared or else on all, and returns the type of its error."""
    declared = metrics.add_metric_to_cache("Declared", "count", ["ModelName"])
    copies = [list(item) if isinstance(item, list) else item for item in arguments]
    try:
        getattr(declared if name in ("add_or_update", "update") else metrics, name)(*copies)
    except Exception as error:
        return type(error)
    return None


def as_emitted(measurement: Measurement) -> tuple[Any, ...]:
    dimensions = ",".join(f"{name}:{value}" for name, value in measurement.dimensions.items())
    kind = measurement.type.upper()
    return measurement.name, str(measurement.value), dimensions, kind, measurement.request_id
