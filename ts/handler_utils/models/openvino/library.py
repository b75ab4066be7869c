"""OpenVINO itself, and how it compiles a model for this CPU."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Optional

import torch

# As OpenVINO calls them. Without one it would choose by itself, and compute in bfloat16 where a CPU has it.
# A quantized model says itself where it computes in int8.
_PRECISIONS = {None: "f32", "float32": "f32", "bfloat16": "bf16", "float16": "f16", "int8": "f32"}

logger = logging.getLogger(__name__)


def import_openvino() -> Any:
    """OpenVINO, without the messages that it sends to its maker when it is imported.

    Raises:
        ImportError: it is not installed.
    """
    try:
        with without_telemetry():
            import openvino
    except ImportError as error:
        raise ImportError(
            "engine: openvino needs OpenVINO: pip install 'torchserve-handlers[openvino]'"
        ) from error
    return openvino


def version() -> tuple[int, int]:
    """OpenVINO's year and release: (2026, 2)."""
    year, release = import_openvino().__version__.split(".")[:2]
    return int(year), int(release)


def import_converter() -> Any:
    """OpenVINO with what converts models, without the messages that this sends.

    Raises:
        ImportError: it is not installed.
    """
    openvino = import_openvino()
    with without_telemetry():
        importlib.import_module("openvino.tools.ovc.convert_impl")
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


def processor() -> str:
    """The CPU's name, and what it can do: other ones add up in another order."""
    names = ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")
    return " ".join(str(core().get_property("CPU", name)) for name in names)


def compiled(model: Any, precision: Optional[str], notes: Optional[Path] = None) -> Any:
    """A model of OpenVINO's, compiled for this CPU: for one batch at a time, by as many threads as torch has.

    Args:
        model: an `openvino.Model`, or the path of one.
        precision: what it computes in: float32, unless bfloat16 or float16 is asked for and the CPU has it.
        notes: a folder where OpenVINO keeps how it compiles the model, to take less time next.
    """
    hint = _PRECISIONS[precision]
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": hint,
        "ENABLE_CPU_PINNING": False,  # or all workers of a machine would compute on its first cores
    }
    try:
        found = core().compile_model(model, "CPU", {**options, **_noting(notes)})
    except RuntimeError:
        if notes is None:
            raise
        found = core().compile_model(
            model, "CPU", options
        )  # where the notes cannot be kept: a disk that is full
    if found.get_property("INFERENCE_PRECISION_HINT").to_string() not in (hint, _long(hint)):
        logger.warning("This CPU has no instructions for %s: OpenVINO computes in float32", precision)
    return found


def _noting(folder: Optional[Path]) -> dict[str, str]:
    """The options for keeping notes in a folder, without the weights, if it can be written."""
    if folder is None:
        return {}
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return {}
    is_open = os.access(folder, os.W_OK)
    return {"CACHE_DIR": str(folder), "CACHE_MODE": "OPTIMIZE_SIZE"} if is_open else {}


def _long(hint: str) -> str:
    return {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}[hint]
