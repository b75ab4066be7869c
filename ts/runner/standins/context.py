"""Stands in for torchserve's `ts.context`."""

from ts.runner.answering.context import Context, RequestProcessor

__all__ = ["Context", "RequestProcessor"]
