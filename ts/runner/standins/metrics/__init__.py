"""Stands in for torchserve's `ts.metrics`, as far as handlers use it."""
