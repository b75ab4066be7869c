"""Stands in for torchserve's `ts.metrics.dimension`."""

from __future__ import annotations

from typing import Any


class Dimension:
    """The value of a metric's dimension, such as ModelName."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value

    def __str__(self) -> str:
        return f"{self.name}:{self.value}"

    def to_dict(self) -> dict[str, Any]:
        return {"Name": self.name, "Value": self.value}
