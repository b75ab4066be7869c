"""Device names, as the `gpu_id` that TorchServe gives a handler."""

from __future__ import annotations

import re
from typing import Any, Optional

from ts.runner.errors import DeviceError


def gpu_id(device: str, config: dict[str, Any]) -> Optional[int]:
    """Chooses the GPU for a handler.

    Args:
        device: "auto" (the first CUDA device, if there is one and the archive's `deviceType` is not "cpu"),
            "cpu", or "cuda:N".
        config: The archive's settings.

    Returns:
        A CUDA device's index, or None for the CPU.

    Raises:
        DeviceError: `device` is none of these, or this machine has no such device.
    """
    if device == "cpu":
        return None
    if device == "auto":
        wants_cpu = str(config.get("deviceType", "")).lower() == "cpu"
        return None if wants_cpu or not cuda_devices() else 0
    match = re.fullmatch(r"cuda(?::(\d+))?", device)
    if not match:
        raise DeviceError(f"device {device!r} is unknown: it may be auto, cpu or cuda:N")
    index = int(match[1] or 0)
    if index >= cuda_devices():
        raise DeviceError(f"device {device!r} is not available: torch sees {cuda_devices()} CUDA devices")
    return index


def cuda_devices() -> int:
    import torch  # here, because `torch-model-runner inspect` is to answer without torch's import

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
