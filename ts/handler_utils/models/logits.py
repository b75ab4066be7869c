"""Logits, out of what a classifier's forward returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


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


def class_logits(output: Any, rows: int) -> torch.Tensor:
    """The logits of a batch, one row a request and one column a class.

    Args:
        output: what the model returned: see `logits_of`. The logits are [N, classes]; [classes] for a batch of
            one; or one logit a row, [N, 1] or [N], of a model that tells class 1 from class 0.
        rows: how many requests the batch holds; 0 if that is not known.

    Returns:
        Logits [N, classes]. Of a single logit s the two are 0 and s, whose softmax is the sigmoid of s.
    """
    logits = logits_of(output)
    if logits.dim() == 1:
        logits = logits[:, None] if len(logits) == rows else logits[None]
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return logits
