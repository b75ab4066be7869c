from __future__ import annotations

import pytest

from ts.runner.answering.metrics import Measurement, Metrics


def test_what_a_handler_measures_is_kept_in_order() -> None:
    metrics = Metrics()
    metrics.set_request_ids({0: "id0"})
    metrics.add_time("HandlerTime", 12.5)
    metrics.add_counter("Calls", 1, 0)
    metrics.add_size("Model", 3, unit="GB")
    metrics.add_percent("Load", 50)
    metrics.add_error("Errors", "bad")
    metrics.add_metric("Words", 7, "count")
    assert metrics.measurements == [
        Measurement("HandlerTime", 12.5, "ms", None),
        Measurement("Calls", 1, "count", "id0"),
        Measurement("Model", 3, "GB", None),
        Measurement("Load", 50, "percent", None),
        Measurement("Errors", "bad", "", None),
        Measurement("Words", 7, "count", None),
    ]


def test_the_values_of_one_metric_are_read_by_its_name() -> None:
    metrics = Metrics()
    for value in (1, 2):
        metrics.add_time("HandlerTime", value)
    assert metrics.values("HandlerTime") == [1, 2]
    assert metrics.values("Absent") == []


def test_a_declared_metric_records_under_its_unit() -> None:
    metrics = Metrics()
    declared = metrics.add_metric_to_cache("Tokens", "count", ["ModelName"])
    declared.add_or_update(5, ["tiny"], "id0")
    metrics.get_metric("Tokens").update(6)
    assert metrics.measurements == [
        Measurement("Tokens", 5, "count", "id0"),
        Measurement("Tokens", 6, "count", None),
    ]


def test_a_metric_that_was_not_declared_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Metrics().get_metric("Tokens")
