"""Logits, out of what a classifier's forward returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ts.handler_utils.errors import ModelFault
from ts.handler_utils.models.finite import check_finite


def logits_of(output: Any) -> torch.Tensor:
    """The logits in a model's output.

    Args:
        output: a tensor; a mapping with "logits"; an object with `logits`, as Hugging Face's models return; or a
            tuple or list whose first element is the logits.

    Raises:
        TypeError: it is none of these.
    """
    logits = output
    if isinstance(output, Mapping):
        logits = output.get("logits")
    elif hasattr(output, "logits"):
        logits = output.logits
    elif isinstance(output, (tuple, list)) and output:
        logits = output[0]
    if not isinstance(logits, torch.Tensor):
        raise TypeError(f"The model's output holds no logits: {type(output).__name__}")
    return logits


def class_outputs(output: Any, rows: int) -> torch.Tensor:
    """The outputs of a batch, one row a request and one column for each that the model has.

    Args:
        output: what the model returned: see `logits_of`. They are [N, outputs]; [outputs] for a batch of one; or
            one a row, [N, 1] or [N].
        rows: how many requests the batch holds; 0 if that is not known.

    Returns:
        [N, outputs].

    Raises:
        ModelFault: they are of another shape.
    """
    logits = logits_of(output)
    if logits.dim() == 1:
        logits = logits[:, None] if len(logits) == rows else logits[None]
    if logits.dim() != 2 or not logits.shape[1]:
        raise ModelFault(f"the model returned logits of shape {list(logits.shape)}, not [N, classes]")
    return logits


def check_logits(logits: torch.Tensor) -> None:
    """Refuses logits [classes] that have no probabilities.

    Raises:
        ModelFault: NaN or plus infinity is among them, or all are minus infinity.
    """
    if not torch.softmax(logits, dim=0).isfinite().all():
        check_finite("logits", logits)
