"""The metrics that a file defines: the one that TorchServe's `metrics_config` names.

See TorchServe's documentation, "Metrics". Of the file's sections only `model_metrics` concerns a handler;
`ts_metrics` and `dimensions` are the server's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Union

from ts.metrics.metric_type_enum import MetricTypes
from ts.runner.errors import InputError
from ts.utils.documents import DocumentError, read_yaml, shown


class Definition(NamedTuple):
    """A metric that a handler need not declare; `type` is a `MetricTypes`."""

    name: str
    unit: str
    dimensions: list[str]
    type: Any


def read_metrics_file(path: Union[str, Path]) -> list[Definition]:
    """The metrics of handlers that a file defines.

    Raises:
        InputError: The file cannot be read, or a TorchServe worker would not start with it.
    """
    try:
        content = read_yaml(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except DocumentError as error:
        raise InputError(f"{path} {error}") from error
    section = content.get("model_metrics") if isinstance(content, dict) else None
    if not isinstance(section, dict) or not section:
        raise InputError(f"{path} has no section `model_metrics` with metrics of handlers")
    try:
        return list(definitions(section))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error


def definitions(section: dict[Any, Any]) -> Iterator[Definition]:
    for kind, metrics in section.items():
        if kind not in [known.value for known in MetricTypes]:
            raise ValueError(f"model_metrics has {shown(kind)}, which is none of counter, gauge, histogram")
        if not isinstance(metrics, list):
            raise TypeError(f"model_metrics.{kind} must be a list of metrics")
        for metric in metrics:
            yield definition(metric, kind)


def definition(metric: Any, kind: str) -> Definition:
    if not isinstance(metric, dict) or not {"name", "unit", "dimensions"} <= metric.keys():
        raise ValueError(f"a {kind} needs name, unit and dimensions: {shown(metric)}")
    name, unit, dimensions = metric["name"], metric["unit"], metric["dimensions"] or []
    if not (isinstance(name, str) and isinstance(unit, str) and isinstance(dimensions, list)):
        raise TypeError(f"a {kind} has a text as name and as unit, and a list of dimensions: {shown(metric)}")
    return Definition(name, unit, dimensions, MetricTypes(kind))


# What a worker's metrics are where no file is named: those of torchserve's own metrics.yaml.
DEFAULTS = tuple(
    Definition(name, "ms", ["ModelName", "Level"], MetricTypes.GAUGE)
    for name in ("HandlerTime", "PredictionTime")
)
