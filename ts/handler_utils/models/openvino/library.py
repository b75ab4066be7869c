"""OpenVINO itself, and how it compiles a model for this CPU."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Optional

import torch

# As OpenVINO calls them. Without one it would choose by itself, and compute in bfloat16 where a CPU has it.
_PRECISIONS = {None: "f32", "float32": "f32", "bfloat16": "bf16", "float16": "f16"}

logger = logging.getLogger(__name__)


def import_openvino() -> Any:
    """OpenVINO, without the messages that it sends to its maker when it is imported and when it converts.

    Raises:
        ImportError: it is not installed.
    """
    try:
        with without_telemetry():
            import openvino
            import openvino.tools.ovc.convert_impl
    except ImportError as error:
        raise ImportError(
            "engine: openvino needs OpenVINO: pip install 'torchserve-handlers[openvino]'"
        ) from error
    return openvino


@contextmanager
def without_telemetry() -> Iterator[None]:
    """What is imported inside a `with` block finds no package `openvino_telemetry`, and does without."""
    name = "openvino_telemetry"
    if name in sys.modules:  # somebody else's import has settled it
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # by which Python raises an ImportError
    try:
        yield
    finally:
        sys.modules.pop(name, None)


@cache
def core() -> Any:
    """The one `openvino.Core` of this process."""
    return import_openvino().Core()


def compiled(model: Any, precision: Optional[str]) -> Any:
    """A model of OpenVINO's, compiled for this CPU: for one batch at a time, by as many threads as torch has.

    Args:
        model: an `openvino.Model`, or the path of one.
        precision: what it computes in: float32, unless bfloat16 or float16 is asked for and the CPU has it.
    """
    hint = _PRECISIONS[precision]
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": hint,
        "ENABLE_CPU_PINNING": False,  # or all workers of a machine would compute on its first cores
    }
    found = core().compile_model(model, "CPU", options)
    if found.get_property("INFERENCE_PRECISION_HINT").to_string() not in (hint, _long(hint)):
        logger.warning("This CPU has no instructions for %s: OpenVINO computes in float32", precision)
    return found


def _long(hint: str) -> str:
    return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}[hint]
