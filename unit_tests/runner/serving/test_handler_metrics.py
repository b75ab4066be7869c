"""Handlers' own metrics, as TorchServe shows them to Prometheus."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ts.runner.answering.metrics import Measurement
from ts.runner.serving import handler_metrics
from ts.runner.serving.handler_metrics import HandlerMetrics


@pytest.fixture
def metrics() -> HandlerMetrics:
    return HandlerMetrics()


def record(metrics: HandlerMetrics, name: str, value: float, kind: str = "counter", **labels: str) -> bool:
    return metrics.record(Measurement(name, value, "ms", None, labels, kind))


def lines(metrics: HandlerMetrics) -> list[str]:
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode().splitlines()


def test_a_counter_adds_up_under_its_own_name(metrics: HandlerMetrics) -> None:
    for value in (2, 3):
        assert record(metrics, "Own", value, ModelName="a", Level="Model")
    assert lines(metrics) == [
        "# HELP Own A handler's counter, in ms",
        "# TYPE Own untyped",
        'Own{Level="Model",ModelName="a"} 5.0',
    ]


def test_a_gauge_has_its_last_value(metrics: HandlerMetrics) -> None:
    for value in (2, 3):
        assert record(metrics, "HandlerTime", value, "gauge")
    assert lines(metrics)[1:] == ["# TYPE HandlerTime gauge", "HandlerTime 3.0"]


def test_a_histogram_has_torchserves_buckets(metrics: HandlerMetrics) -> None:
    for value in (0.3, 30):
        assert record(metrics, "Own", value, "histogram", k="a")
    found = lines(metrics)
    assert 'Own_bucket{k="a",le="0.25"} 0.0' in found
    assert 'Own_bucket{k="a",le="0.5"} 1.0' in found
    assert 'Own_bucket{k="a",le="10.0"} 1.0' in found
    assert 'Own_bucket{k="a",le="+Inf"} 2.0' in found
    assert 'Own_sum{k="a"} 30.3' in found


def test_a_name_may_have_different_labels(metrics: HandlerMetrics) -> None:
    assert record(metrics, "Own", 1, color="red")
    assert record(metrics, "Own", 2, shape="round")
    assert record(metrics, "Own", 4, color="blue")
    assert [line for line in lines(metrics) if line.startswith("# TYPE")] == ["# TYPE Own untyped"]
    assert [line for line in lines(metrics) if not line.startswith("#")] == [
        'Own{color="red"} 1.0',
        'Own{color="blue"} 4.0',
        'Own{shape="round"} 2.0',
    ]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("Own-percent", {}),
        ("", {}),
        ("1st", {}),
        ("torch_model_requests", {}),
        ("Own", {"a b": "x"}),
        ("Own", {"le": "x"}),
        ("Own", {"__name__": "x"}),
    ],
)
def test_what_prometheus_cannot_have_is_not_kept(
    metrics: HandlerMetrics, name: str, labels: dict[str, Any]
) -> None:
    assert not record(metrics, name, 1, **labels)
    assert lines(metrics) == []


def test_a_name_is_of_one_kind(metrics: HandlerMetrics) -> None:
    assert record(metrics, "Own", 1, "counter")
    assert not record(metrics, "Own", 9, "gauge")
    assert lines(metrics)[-1] == "Own 1.0"


def test_there_are_only_so_many_series(metrics: HandlerMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_metrics, "MOST_SERIES", 2)
    kept = [record(metrics, "Own", 1, user=user) for user in ("a", "b", "c", "a")]
    assert kept == [True, True, False, True]
    assert [line for line in lines(metrics) if "user" in line] == ['Own{user="a"} 2.0', 'Own{user="b"} 1.0']
