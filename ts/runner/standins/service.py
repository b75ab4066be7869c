"""Stands in for torchserve's `ts.service`, but for the class `Service`, which is the server's."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Optional

from ts.context import Context, RequestProcessor
from ts.utils.util import PredictionException, get_yaml_config

__all__ = ["Context", "PredictionException", "RequestProcessor", "emit_metrics", "get_yaml_config"]

logger = logging.getLogger(__name__)


def emit_metrics(metrics: Optional[Iterable[Any]]) -> None:
    """Writes each metric into the log, from which TorchServe's frontend would read it."""
    for metric in metrics or ():
        logger.info("[METRICS]%s", metric)
