"""Answers before the first request, so that the first client does not wait for what makes later ones fast."""

from __future__ import annotations

from typing import Any, Callable

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.settings import Warmup

_TIMES = 3  # TorchScript looks on twice before it optimizes


def warm_up(handler: Any, batch_of: Callable[[int, Warmup], Any]) -> None:
    """Infers batches of the sizes that the setting `warmup` names, if it is set.

    Args:
        handler: a handler that is otherwise ready.
        batch_of: makes a batch of so many rows, as `preprocess` returns it.
    """
    warmup = getattr(Configuration.of(handler).settings, "warmup", None)
    if not isinstance(warmup, Warmup):
        return
    for rows in warmup.batch_sizes:
        for _ in range(_TIMES):
            handler.inference(batch_of(rows, warmup))
