"""Logits, out of what a classifier's forward returns, and their probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from ts.handler_utils.errors import ModelFault
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.requests.current import CurrentBatch


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

    Raises:
        ModelFault: they are of another shape.
    """
    logits = logits_of(output)
    if logits.dim() == 1:
        logits = logits[:, None] if len(logits) == rows else logits[None]
    if logits.dim() != 2 or not logits.shape[1]:
        raise ModelFault(f"the model returned logits of shape {list(logits.shape)}, not [N, classes]")
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    return logits


def row_probabilities(handler: Any, logits: torch.Tensor) -> torch.Tensor:
    """The probabilities of the classes of each row of a batch, by softmax.

    Args:
        handler: whose batch it is.
        logits: [N, classes]; one of minus infinity stands for a probability of 0.

    Returns:
        [N, classes], in [0, 1].

    Raises:
        RowErrors: the logits of some rows are NaN, or infinite so that they have no probabilities.
        ModelFault: the logits are of another shape.
    """
    if logits.dim() != 2:
        raise ModelFault(f"the model returned logits of shape {list(logits.shape)}, not [N, classes]")
    probabilities = torch.softmax(logits, dim=1)
    if not math.isfinite(probabilities.sum()):
        CurrentBatch.of(handler).each(lambda row: check_logits(logits[row]), len(logits))
    return probabilities


def check_logits(logits: torch.Tensor) -> None:
    """Refuses logits [classes] that have no probabilities.

    Raises:
        ModelFault: NaN or plus infinity is among them, or all are minus infinity.
    """
    if not torch.softmax(logits, dim=0).isfinite().all():
        check_finite("logits", logits)
