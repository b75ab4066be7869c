"""What handlers measure, as TorchServe shows it to Prometheus: by the handlers' own names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Union

from prometheus_client import Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ts.runner.answering.metrics import Measurement

NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
OURS = "torch_model_"  # what the server's own names begin with
MOST_SERIES = 1000  # of all models together, since a handler may take a label from a request
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # TorchServe's
# How each kind takes a value, and what Prometheus is told that it is: a counter would have to end in _total.
KINDS: dict[str, tuple[Any, str]] = {
    "counter": (Gauge.inc, "unknown"),
    "gauge": (Gauge.set, "gauge"),
    "histogram": (Histogram.observe, "histogram"),
}


class HandlerMetrics(Collector):
    """Keeps of a counter the sum, of a gauge the last value, of a histogram how many values were how large.

    The labels are a measurement's dimensions, which need not always have the same names.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}  # by a metric's name
        self._metrics: dict[
            tuple[str, ...], Union[Gauge, Histogram]
        ] = {}  # by its name and those of its labels
        self._series: dict[tuple[Any, ...], Union[Gauge, Histogram]] = {}  # by its name, kind and labels

    def record(self, measurement: Measurement) -> bool:
        """Whether it is kept.

        Not if Prometheus cannot have the names, there are too many series, or the name is one of another kind.
        """
        name, value, _, _, labels, kind = measurement
        key = (name, kind, *sorted(labels.items()))
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= MOST_SERIES or not self._can_have(name, labels, kind):
                return False
            series = self._series[key] = self._new_series(measurement)
        KINDS[kind][0](series, value)
        return True

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for metric in self._metrics.values():
            for part in metric.collect():
                kind = KINDS[self._kinds[part.name]][1]
                whole = found.setdefault(part.name, Metric(part.name, part.documentation, kind))
                whole.samples.extend(part.samples)
        return found.values()

    def _can_have(self, name: str, labels: Iterable[str], kind: str) -> bool:
        are_names = all(NAME.fullmatch(text) for text in (name, *labels))
        are_free = not name.startswith(OURS) and not any(text == "le" or text[:2] == "__" for text in labels)
        return are_names and are_free and self._kinds.setdefault(name, kind) == kind

    def _new_series(self, measurement: Measurement) -> Union[Gauge, Histogram]:
        name, _, unit, _, labels, kind = measurement
        key = (name, *sorted(labels))
        if key not in self._metrics:
            about = f"A handler's {kind}" + (f", in {unit}" if unit else "")
            self._metrics[key] = (
                Histogram(name, about, sorted(labels), registry=None, buckets=BUCKETS)
                if kind == "histogram"
                else Gauge(name, about, sorted(labels), registry=None)
            )
        return self._metrics[key].labels(**labels) if labels else self._metrics[key]
