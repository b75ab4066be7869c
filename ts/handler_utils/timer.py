"""Times of a handler: of each batch, and of its hooks when `handler.profile` in model-config.yaml is true."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Callable, TypeVar

import torch
from typing_extensions import ParamSpec

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def timed(hook: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorates a hook to report the metric `ts_handler_<name of the hook>`, in milliseconds.

    Only where the archive's model-config.yaml has `handler: {profile: true}`. On a GPU the time includes the
    work that the hook queued there. The hook's signature stays what it is, for type checkers too.
    """

    @wraps(hook)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        handler: Any = args[0]
        if not _profiles(handler):
            return hook(*args, **kwargs)
        _finish_queued_work(handler)
        started = time.perf_counter()
        result = hook(*args, **kwargs)
        _finish_queued_work(handler)
        milliseconds = (time.perf_counter() - started) * 1000
        handler.context.metrics.add_time(f"ts_handler_{hook.__name__}", milliseconds)
        return result

    return run


@contextmanager
def handler_time(context: Any) -> Iterator[None]:
    """Reports the time of a batch as the metric `HandlerTime`, in milliseconds."""
    started = time.perf_counter()
    yield
    milliseconds = (time.perf_counter() - started) * 1000
    metrics = getattr(context, "metrics", None)
    if metrics is not None:
        metrics.add_time("HandlerTime", round(milliseconds, 2), None, "ms")


def _profiles(handler: Any) -> bool:
    config = getattr(getattr(handler, "context", None), "model_yaml_config", None)
    section = config.get("handler") if isinstance(config, dict) else None
    return bool(isinstance(section, dict) and section.get("profile"))


def _finish_queued_work(handler: Any) -> None:
    device = getattr(handler, "device", None)
    if device is not None and torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
