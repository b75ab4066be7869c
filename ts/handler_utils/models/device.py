"""The device that a worker computes on, as TorchServe assigns it."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

import torch


def choose_device(gpu_id: int | str | None) -> torch.device:
    """The device for a worker's model.

    Args:
        gpu_id: `system_properties["gpu_id"]` of the context: the accelerator that TorchServe gave to this
            worker, or None for a worker on the CPU.

    Returns:
        With a gpu_id, the first of CUDA (or ROCm), XPU (where TS_IPEX_GPU_ENABLE is "true") and MPS which this
        machine has; else XLA if torch_xla is installed; else the CPU.
    """
    if gpu_id is not None:
        if torch.cuda.is_available():
            return torch.device("cuda", int(gpu_id))
        if os.environ.get("TS_IPEX_GPU_ENABLE", "false").lower() == "true" and torch.xpu.is_available():
            return torch.device("xpu", int(gpu_id))
        if torch.backends.mps.is_available():
            return torch.device("mps")
    return _xla_device() or torch.device("cpu")


def _xla_device() -> Any:
    if importlib.util.find_spec("torch_xla") is None:
        return None
    from torch_xla.core import xla_model

    return xla_model.xla_device()
