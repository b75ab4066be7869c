"""Stands in for torchserve's `ts.metrics.metric_cache_errors`: the errors that its `context.metrics` raises."""


class MetricsCacheTypeError(TypeError):
    """An argument of another type."""


class MetricsCacheValueError(ValueError):
    """A unit that there is not."""


class MetricsCacheKeyError(KeyError):
    """A metric that is not defined."""
