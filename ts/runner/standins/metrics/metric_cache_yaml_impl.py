"""Stands in for torchserve's `ts.metrics.metric_cache_yaml_impl`, which tests of handlers make a context with."""

from __future__ import annotations

from ts.runner.answering.metrics import Metrics
from ts.runner.answering.metrics_file import read_metrics_file

__all__ = ["MetricsCacheYamlImpl"]


class MetricsCacheYamlImpl(Metrics):
    """The metrics of a handler, with those that a file defines.

    Args:
        config_file_path: a file as TorchServe's `metrics_config` names one.
    """

    def __init__(self, config_file_path: str) -> None:
        super().__init__(definitions=())
        self.config_file_path = config_file_path

    def initialize_cache(self) -> None:
        self.define(read_metrics_file(self.config_file_path))
