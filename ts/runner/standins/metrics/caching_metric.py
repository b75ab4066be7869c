"""Stands in for torchserve's `ts.metrics.caching_metric`, for annotations."""

from ts.runner.answering.metrics import Metric as CachingMetric

__all__ = ["CachingMetric"]
