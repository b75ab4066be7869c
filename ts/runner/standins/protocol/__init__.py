"""Stands in for torchserve's `ts.protocol`, as far as handlers use it."""
