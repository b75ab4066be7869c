"""What a server measures."""

from __future__ import annotations

import pytest

from ts.runner.answering.metrics import Measurement
from ts.runner.serving import metrics
from ts.runner.serving.metrics import Meter


def time(name: str, value: float = 1.0, unit: str = "ms") -> Measurement:
    return Measurement(name, value, unit, None, {"ModelName": "a"}, "gauge")


def test_what_handlers_measure_is_shown_and_times_as_histograms_too() -> None:
    meter = Meter()
    meter.of("a", "1.0").measured(
        [time("HandlerTime", 250.0), time("Own", 2.0, "s"), time("Size", 3.0, "MB")]
    )
    page = meter.page().decode().splitlines()
    assert 'HandlerTime{ModelName="a"} 250.0' in page
    assert 'Size{ModelName="a"} 3.0' in page
    own = 'torch_model_handler_seconds_{}{{model="a",name="{}",version="1.0"}} {}'
    assert own.format("sum", "HandlerTime", 0.25) in page
    assert own.format("sum", "Own", 2.0) in page
    assert not [line for line in page if "handler_seconds" in line and "Size" in line]
    assert 'torch_model_measurements_dropped_total{model="a",version="1.0"} 0.0' in page


def test_names_of_times_are_so_many_and_what_is_dropped_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_TIMES", 2)
    meter = Meter()
    meter.of("a", "1.0").measured([time("One"), time("Two"), time("Three"), time("no name")])
    page = meter.page().decode()
    assert 'handler_seconds_count{model="a",name="Two"' in page
    assert 'handler_seconds_count{model="a",name="Three"' not in page
    assert 'torch_model_measurements_dropped_total{model="a",version="1.0"} 1.0' in page
