from __future__ import annotations

from pathlib import Path

import pytest
from ts.metrics.metric_type_enum import MetricTypes

from ts.runner.answering.metrics_file import DEFAULTS, Definition, read_metrics_file
from ts.runner.errors import InputError

FILE = """
dimensions:
  - &model_name "ModelName"
ts_metrics:
  counter:
    - {name: Requests2XX, unit: Count, dimensions: []}
model_metrics:
  counter:
    - {name: Tokens, unit: count, dimensions: [*model_name, "Language"]}
  gauge:
    - {name: Heat, unit: degrees, dimensions: }
"""


def test_the_metrics_of_handlers_are_read(tmp_path: Path) -> None:
    path = tmp_path / "metrics.yaml"
    path.write_text(FILE)
    assert read_metrics_file(path) == [
        Definition("Tokens", "count", ["ModelName", "Language"], MetricTypes.COUNTER),
        Definition("Heat", "degrees", [], MetricTypes.GAUGE),
    ]


def test_without_a_file_there_are_torchserves_own() -> None:
    assert [(metric.name, metric.type.value) for metric in DEFAULTS] == [
        ("HandlerTime", "gauge"),
        ("PredictionTime", "gauge"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no section `model_metrics` with metrics"),
        ("[1]", "has no section `model_metrics` with metrics"),
        ("model_metrics: {}", "has no section `model_metrics` with metrics"),
        ("a: [", "is not YAML: "),
        ("model_metrics: {sum: []}", "model_metrics has 'sum', which is none of counter, gauge, histogram"),
        ("model_metrics: {gauge: }", "model_metrics.gauge must be a list of metrics"),
        ("model_metrics: {gauge: [{name: A}]}", "a gauge needs name, unit and dimensions: {'name': 'A'}"),
        ("model_metrics: {gauge: [A]}", "a gauge needs name, unit and dimensions: 'A'"),
        (
            "model_metrics: {gauge: [{name: A, unit: 3, dimensions: []}]}",
            "a gauge has a text as name and as unit, and a list of dimensions: {'name': 'A', 'unit': 3",
        ),
    ],
)
def test_what_a_worker_would_not_start_with_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "metrics.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_metrics_file(path)
    assert str(raised.value).startswith(str(path))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml cannot be read: No such file"):
        read_metrics_file(tmp_path / "nowhere.yaml")
