"""A model's output is made of finite numbers, or it is no answer."""

from __future__ import annotations

import math

import torch

from ts.handler_utils.errors import ModelFault


def check_finite(name: str, values: torch.Tensor) -> None:
    """Refuses what a model returned for one image or text, if NaN or infinity is in it.

    Args:
        name: what the values are, for the log: "scores".
        values: of any shape and type.

    Raises:
        ModelFault: they are not all finite.
    """
    if not values.is_floating_point() or not values.numel():
        return
    # They tell of all values: NaN anywhere makes both NaN. And nothing as large as the values is made.
    least, greatest = torch.stack(torch.aminmax(values)).tolist()
    if not (math.isfinite(least) and math.isfinite(greatest)):
        raise ModelFault(f"the model returned {name} that are not finite: from {least} to {greatest}")
