"""Records what a handler measures, through the calls of TorchServe's metrics API.

See TorchServe's documentation, "Custom metrics API". TorchServe writes the values to its log and to Prometheus;
here they are kept, for whoever called the model to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional


class Measurement(NamedTuple):
    """One recorded value, e.g. `HandlerTime`, 12.5, `ms`."""

    name: str
    value: float
    unit: str
    request_id: Optional[str]


class Metric:
    """A metric that a handler declared by `add_metric_to_cache`."""

    def __init__(self, metrics: Metrics, name: str, unit: str) -> None:
        self.metric_name = name
        self.unit = unit
        self._metrics = metrics

    def add_or_update(self, value: float, dimension_values: Sequence[str] = (), request_id: str = "") -> None:
        self._metrics.record(self.metric_name, value, self.unit, request_id or None)

    def update(self, value: float, request_id: str = "", dimensions: Sequence[Any] = ()) -> None:
        self.add_or_update(value, request_id=request_id)


class Metrics:
    """Stands in for TorchServe's metrics store, `context.metrics`.

    Attributes:
        measurements: Every value so far, oldest first.
        request_ids: Of the batch at hand, comma-separated, by which values without an index are filed.
    """

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []
        self.request_ids: Any = None
        self._declared: dict[str, Metric] = {}

    def values(self, name: str) -> list[float]:
        """Every value of one metric, oldest first."""
        return [measurement.value for measurement in self.measurements if measurement.name == name]

    def record(self, name: str, value: float, unit: str, request_id: Optional[str]) -> None:
        self.measurements.append(Measurement(name, value, unit, request_id))

    def set_request_ids(self, request_ids: dict[int, str]) -> None:
        self.request_ids = request_ids

    def add_metric(
        self,
        name: str,
        value: float,
        unit: str,
        idx: Any = None,
        dimensions: Sequence[Any] = (),
        metric_type: Any = "counter",
    ) -> None:
        self.record(name, value, unit, self._request_id(idx))

    def add_counter(self, name: str, value: float, idx: Any = None, dimensions: Sequence[Any] = ()) -> None:
        self.add_metric(name, value, "count", idx)

    def add_time(
        self,
        name: str,
        value: float,
        idx: Any = None,
        unit: str = "ms",
        dimensions: Sequence[Any] = (),
        metric_type: Any = "gauge",
    ) -> None:
        self.add_metric(name, value, unit, idx)

    def add_size(
        self,
        name: str,
        value: float,
        idx: Any = None,
        unit: str = "MB",
        dimensions: Sequence[Any] = (),
        metric_type: Any = "gauge",
    ) -> None:
        self.add_metric(name, value, unit, idx)

    def add_percent(
        self,
        name: str,
        value: float,
        idx: Any = None,
        dimensions: Sequence[Any] = (),
        metric_type: Any = "gauge",
    ) -> None:
        self.add_metric(name, value, "percent", idx)

    def add_error(self, name: str, value: Any, dimensions: Sequence[Any] = ()) -> None:
        self.add_metric(name, value, "")

    def add_metric_to_cache(
        self, metric_name: str, unit: str, dimension_names: Sequence[str] = (), metric_type: Any = "counter"
    ) -> Metric:
        return self._declared.setdefault(metric_name, Metric(self, metric_name, unit))

    def get_metric(self, metric_name: str, metric_type: Any = "counter") -> Metric:
        """The metric that `add_metric_to_cache` declared.

        Raises:
            KeyError: It was not declared.
        """
        return self._declared[metric_name]

    def _request_id(self, idx: Any) -> Optional[str]:
        if idx is None or not self.request_ids:
            return None
        return self.request_ids.get(idx, str(idx))
