"""Models as archives hold them: one loader a format, registered by its suffixes.

A format of one's own is a module here with a loader, and its name in the import below.
"""

from __future__ import annotations

from ts.handler_utils.models.formats import aotinductor, exported, onnx, safetensors, torchscript
from ts.handler_utils.models.formats.registry import loader_of

__all__ = ["aotinductor", "exported", "loader_of", "onnx", "safetensors", "torchscript"]
