"""A trace of one inference by torch's profiler, switched on by the environment variable ENABLE_TORCH_PROFILER."""

from __future__ import annotations

import logging
import tempfile
import threading
from pathlib import Path
from typing import Any, Callable

import torch

logger = logging.getLogger(__name__)

_one_at_a_time = threading.Lock()  # torch's profiler is one a process; MicroBatching runs in several threads


def run_profiled(
    run: Callable[[], Any], model_name: str, arguments: dict[str, Any]
) -> tuple[Any, torch.profiler.profile]:
    """Runs something under `torch.profiler`, logs its table and writes a trace, as TensorBoard and Perfetto read.

    Args:
        run: what to profile.
        model_name: names the folder `pytorch_profiler/<model_name>` in the system's folder for temporary files.
        arguments: what the handler wants otherwise, as keyword arguments of `torch.profiler.profile`; filled in
            here with the defaults, so that a subclass sees them.

    Returns:
        What `run` returned, and the profile.
    """
    folder = Path(tempfile.gettempdir()) / "pytorch_profiler" / model_name
    activities = [torch.profiler.ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    arguments.setdefault("activities", activities)
    arguments.setdefault("record_shapes", True)
    arguments.setdefault("on_trace_ready", torch.profiler.tensorboard_trace_handler(str(folder)))
    with _one_at_a_time, torch.profiler.profile(**arguments) as profile:
        result = run()
    table = profile.key_averages().table(sort_by="cpu_time_total", row_limit=10)
    logger.info("Profiler trace in %s\n%s", folder, table)
    return result, profile
