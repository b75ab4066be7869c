"""The version of torch-model-archiver, which is that of the handlers."""

from __future__ import annotations

__version__ = "0.1.0"
