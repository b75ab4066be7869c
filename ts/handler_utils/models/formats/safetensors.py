"""safetensors: weights, and never a whole model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ts.handler_utils.models.formats.content import wrong_content
from ts.handler_utils.models.formats.registry import reads
from ts.handler_utils.models.formats.torchscript import NEEDS_CLASS


@reads(".safetensors")
def refuse_safetensors(path: str | Path, _device: Any) -> Any:
    """Says that a network is missing.

    Raises:
        ValueError: always.
    """
    raise wrong_content(path, "a model", NEEDS_CLASS)
