"""Records what a handler measures, through the calls of TorchServe's metrics API.

See TorchServe's documentation, "Custom metrics API". TorchServe writes the values to its log and to Prometheus;
here they are kept, for whoever called the model to read. What torchserve 0.12 refuses is refused here by the same
errors, and what it drops with a line in the log, since values and dimensions do not fit, is dropped here too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Optional

# Torchserve's own where it is installed, since handlers compare with them; else the runner's stand-ins.
from ts.metrics.metric_cache_errors import (
    MetricsCacheKeyError,
    MetricsCacheTypeError,
    MetricsCacheValueError,
)
from ts.metrics.metric_type_enum import MetricTypes
from ts.runner.answering.metrics_file import DEFAULTS, Definition

logger = logging.getLogger(__name__)

COUNTER, GAUGE = MetricTypes.COUNTER, MetricTypes.GAUGE
TIMES, SIZES = ("ms", "s"), ("MB", "kB", "GB", "B")


class Measurement(NamedTuple):
    """One recorded value, e.g. `HandlerTime`, 12.5, `ms`.

    Attributes:
        name: The metric's name.
        value: What was measured; for a counter, by how much it grew.
        unit: As the handler, or the file of metrics, has it.
        request_id: Of the row that it concerns, or of all rows of the batch, joined by commas.
        dimensions: Their values by name, e.g. `{"ModelName": "kitten", "Level": "Model"}`.
        type: "counter", "gauge" or "histogram".
    """

    name: str
    value: float
    unit: str
    request_id: Optional[str]
    dimensions: dict[str, Any]
    type: str

    def __str__(self) -> str:
        dimensions = ",".join(f"{name}:{value}" for name, value in self.dimensions.items())
        return f"{self.name}.{self.unit}:{self.value}|#{dimensions}|#type:{self.type.upper()}"


class Metric:
    """A metric that a handler declared by `add_metric_to_cache`, or that a file of metrics defines."""

    def __init__(self, metrics: Metrics, definition: Definition) -> None:
        self.metric_name = definition.name
        self.unit = definition.unit
        self.dimension_names = definition.dimensions
        self.metric_type = definition.type
        self._metrics = metrics

    def add_or_update(self, value: float, dimension_values: Sequence[Any] = (), request_id: str = "") -> None:
        """Records a value; it is dropped if it is negative for a counter, or the dimensions are not as many."""
        values, names = list(dimension_values or ()), self.dimension_names
        if len(values) != len(names):
            logger.error(
                "metric %s is dropped: it has the dimensions %s, not %s", self.metric_name, names, values
            )
        elif self.metric_type == COUNTER and value < 0:
            logger.error("metric %s is dropped: a counter cannot grow by %s", self.metric_name, value)
        else:
            dimensions, kind = dict(zip(names, values)), self.metric_type.value
            self._metrics.measurements.append(
                Measurement(self.metric_name, value, self.unit, request_id or None, dimensions, kind)
            )

    def update(self, value: float, request_id: str = "", dimensions: Sequence[Any] = ()) -> None:
        """As `add_or_update`, with other dimensions than before: a list of `Dimension`."""
        self.dimension_names = [dimension.name for dimension in dimensions]
        self.add_or_update(value, [dimension.value for dimension in dimensions], request_id)


class Metrics:
    """Stands in for TorchServe's metrics cache, `context.metrics`.

    Args:
        model_name: A dimension of all metrics that the `add_` methods record.
        definitions: The metrics that there are before the handler declares any.

    Attributes:
        measurements: Every value so far, oldest first.
        request_ids: Of the batch at hand, by row index; while the handler starts, one id.
        cache: The metrics that there are, by type and name.
    """

    def __init__(
        self, model_name: Optional[str] = None, definitions: Iterable[Definition] = DEFAULTS
    ) -> None:
        self.model_name = model_name
        self.measurements: list[Measurement] = []
        self.request_ids: Any = None
        self.cache: dict[Any, dict[str, Metric]] = {}
        self.define(definitions)

    @property
    def store(self) -> list[Measurement]:
        """The measurements, by the name that handlers give to `emit_metrics`."""
        return self.measurements

    def define(self, definitions: Iterable[Definition]) -> None:
        for definition in definitions:
            self.cache.setdefault(definition.type, {})[definition.name] = Metric(self, definition)

    def values(self, name: str) -> list[float]:
        """Every value of one metric, oldest first."""
        return [measurement.value for measurement in self.measurements if measurement.name == name]

    def set_request_ids(self, request_ids: Any) -> None:
        self.request_ids = request_ids

    def add_metric(
        self,
        name: str,
        value: float,
        unit: str,
        idx: Any = None,
        dimensions: Sequence[Any] = (),
        metric_type: Any = COUNTER,
    ) -> None:
        """Records a value of a metric, which is declared by that where there is none of its type and name.

        Args:
            name: The metric's name.
            value: The value.
            unit: Of the value, if the metric is not declared yet.
            idx: The row that it concerns; by default all rows of the batch.
            dimensions: A list of `Dimension`; ModelName and Level are added.
            metric_type: A `MetricTypes`.
        """
        self._record(name, value, unit, self._request_id(idx), dimensions, metric_type)

    def add_counter(self, name: str, value: float, idx: Any = None, dimensions: Sequence[Any] = ()) -> None:
        self.add_metric(name, value, "count", idx, dimensions)

    def add_time(
        self,
        name: str,
        value: float,
        idx: Any = None,
        unit: str = "ms",
        dimensions: Sequence[Any] = (),
        metric_type: Any = GAUGE,
    ) -> None:
        check_unit(unit, TIMES, "time")
        self.add_metric(name, value, unit, idx, dimensions, metric_type)

    def add_size(
        self,
        name: str,
        value: float,
        idx: Any = None,
        unit: str = "MB",
        dimensions: Sequence[Any] = (),
        metric_type: Any = GAUGE,
    ) -> None:
        check_unit(unit, SIZES, "size")
        self.add_metric(name, value, unit, idx, dimensions, metric_type)

    def add_percent(
        self,
        name: str,
        value: float,
        idx: Any = None,
        dimensions: Sequence[Any] = (),
        metric_type: Any = GAUGE,
    ) -> None:
        self.add_metric(name, value, "percent", idx, dimensions, metric_type)

    def add_error(self, name: str, value: float, dimensions: Sequence[Any] = ()) -> None:
        self._record(name, value, "", None, dimensions, COUNTER)

    def add_metric_to_cache(
        self,
        metric_name: str,
        unit: str,
        dimension_names: Sequence[str] = (),
        metric_type: Any = COUNTER,
    ) -> Metric:
        """Declares a metric, in place of another of its type and name.

        Raises:
            MetricsCacheTypeError: The type is no `MetricTypes`, or another argument not of its type.
        """
        check_type("metric_name", metric_name, str)
        check_type("unit", unit, str)
        check_type("metric_type", metric_type, MetricTypes)
        check_type("dimension_names", dimension_names or [], list)
        self.define([Definition(metric_name, unit, list(dimension_names), metric_type)])
        return self.cache[metric_type][metric_name]

    def get_metric(self, metric_name: str, metric_type: Any = COUNTER) -> Metric:
        """The metric that was declared or defined.

        Raises:
            MetricsCacheKeyError: There is none of that type and name; a KeyError.
            MetricsCacheTypeError: The type is no `MetricTypes`.
        """
        check_type("metric_name", metric_name, str)
        check_type("metric_type", metric_type, MetricTypes)
        try:
            return self.cache[metric_type][metric_name]
        except KeyError:
            raise MetricsCacheKeyError(f"there is no {metric_type.value} {metric_name!r}") from None

    def _record(
        self,
        name: str,
        value: float,
        unit: str,
        request_id: Optional[str],
        dimensions: Sequence[Any],
        metric_type: Any,
    ) -> None:
        own = {"Level": "Error"} if request_id is None else {"ModelName": self.model_name, "Level": "Model"}
        given = {dimension.name: dimension.value for dimension in dimensions}
        named = {**given, **{key: item for key, item in own.items() if key not in given}}
        try:
            metric = self.get_metric(name, metric_type)
        except MetricsCacheKeyError:
            metric = self.add_metric_to_cache(name, unit, list(named), metric_type)
        metric.add_or_update(value, list(named.values()), request_id or "")

    def _request_id(self, idx: Any) -> Optional[str]:
        if not isinstance(self.request_ids, dict):
            return self.request_ids
        return self.request_ids.get(idx) or ",".join(self.request_ids.values())


def check_type(name: str, value: Any, kind: type) -> None:
    if not isinstance(value, kind):
        raise MetricsCacheTypeError(f"`{name}` must be a {kind.__name__}, not {value!r}")


def check_unit(unit: str, allowed: Sequence[str], what: str) -> None:
    if unit not in allowed:
        raise MetricsCacheValueError(
            f"the unit of a {what} must be one of {', '.join(allowed)}, not {unit!r}"
        )
