"""Answers before the first request, so that the first client does not wait for what makes later ones fast."""

from __future__ import annotations

from typing import Any, Callable

import torch

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.settings import Warmup

_TIMES = 3  # TorchScript looks on twice before it optimizes


def warm_up(handler: Any, batch_of: Callable[[int, Warmup], Any]) -> None:
    """Infers batches of the sizes that the setting `warmup` names, if it is set.

    Before, OpenVINO gets its model ready by a batch of noise, if it computes it.

    Args:
        handler: a handler that is otherwise ready.
        batch_of: makes a batch of so many rows, as `preprocess` returns it.
    """
    settings = Configuration.of(handler).settings
    warmup = getattr(settings, "warmup", None)
    if settings.engine == "openvino" and is_default_handler(handler):
        handler.inference(_noise(batch_of(2, Warmup())))
    if not isinstance(warmup, Warmup):
        return
    for rows in warmup.batch_sizes:
        for _ in range(_TIMES):
            handler.inference(batch_of(rows, warmup))


def _noise(batch: Any) -> Any:
    """Images of noise in the place of a batch of grey ones, of which all layers would return the same."""
    if isinstance(batch, (list, tuple)):
        return [_noise(image) for image in batch]
    if not isinstance(batch, torch.Tensor):
        return batch
    return torch.rand(batch.shape, generator=torch.Generator().manual_seed(0)).to(batch)
