"""Stands in for torchserve's `ts.metrics.metrics_store`, which older tests of handlers make a context with."""

from __future__ import annotations

from typing import Any

from ts.runner.answering.metrics import Metrics

__all__ = ["MetricsStore"]


class MetricsStore(Metrics):
    """The metrics of a handler for one batch.

    Args:
        request_ids: by row index, or one for all rows.
        model_name: the model's name, which is a dimension of its metrics.
    """

    def __init__(self, request_ids: Any, model_name: str) -> None:
        super().__init__(model_name)
        self.request_ids = request_ids
