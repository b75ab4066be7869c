"""Stands in for torchserve's `ts.metrics.metric_type_enum`."""

from __future__ import annotations

import enum


class MetricTypes(enum.Enum):
    """What becomes of a metric's values: they are added up, replace each other, or are counted by their size."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
