"""Whether OpenVINO answers what torch does."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Callable, Optional

import torch

TOLERANCE = 1e-4  # of the largest number of an output

ROUNDING = 1e-3  # the largest difference that adding up in float32 makes

# By the precision that OpenVINO computes in. Of int8 the archive says what was judged: here shapes and NaN count.
TOLERANCES = {
    None: TOLERANCE,
    "float32": TOLERANCE,
    "bfloat16": 0.1,
    "float16": 0.1,
    "int8": sys.float_info.max,
}

Tensors = Sequence[torch.Tensor]


def problem(
    found: Tensors,
    wanted: Tensors,
    in_double: Callable[[], Optional[Tensors]],
    tolerance: float,
    engine: str = "torch",
) -> Optional[str]:
    """How what OpenVINO returned differs from what torch did: the end of a sentence; None where it does not.

    Deep networks add up so much that torch's own rounding exceeds the tolerance. So a difference that does is held
    against numbers of 64 bits: there OpenVINO's error may be twice torch's.

    Args:
        found: OpenVINO's.
        wanted: the engine's.
        in_double: what torch returns in numbers of 64 bits; None where it cannot be told.
        tolerance: as a part of the largest number of an output.
        engine: whose answers are to be given.
    """
    shapes = [[list(item.shape) for item in items] for items in (found, wanted)]
    if shapes[0] != shapes[1]:
        return f"it returns {shapes[0]}, where {engine} returns {shapes[1]}"
    distances = [_distance(*pair) for pair in zip(found, wanted)]
    worst = max(distances, default=0.0)
    if worst <= tolerance:
        return None
    exact = in_double() if tolerance == TOLERANCE else None
    if exact is not None:
        own = max(_distance(*pair) for pair in zip(wanted, exact))
        if own <= ROUNDING and max(_distance(*pair) for pair in zip(found, exact)) <= max(tolerance, 2 * own):
            return None
    return f"its numbers differ from {engine}'s by {worst:.1g} of the largest, and {tolerance:g} is allowed"


def doubled(model: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a model returns in numbers of 64 bits; None where it cannot be computed."""
    with suppress(Exception), torch.inference_mode(False), torch.no_grad():
        args, kwargs = torch.utils._pytree.tree_map(_wide, (tuple(args), kwargs))
        return copy.deepcopy(model).double()(*args, **kwargs)
    return None


def _wide(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    return value.double() if value.is_floating_point() else value.clone()


def _distance(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """The largest difference, as a part of the largest number; infinite where one of them alone is not finite."""
    found, wanted = found.detach().double(), wanted.detach().double()
    same = (found == wanted) | (found.isnan() & wanted.isnan())
    differences = torch.where(same, 0.0, (found - wanted).abs())
    if not differences.numel() or not bool(differences.any()):
        return 0.0
    largest = wanted[wanted.isfinite()].abs().max() if bool(wanted.isfinite().any()) else wanted.new_ones(())
    return float(differences.nan_to_num(nan=float("inf")).max() / largest.clamp(min=1e-6))
