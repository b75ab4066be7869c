"""Vectors, as their clients want them."""

from __future__ import annotations

import base64
from typing import Any, Optional

import torch

from ts.handler_utils.models.finite import check_finite

BYTES = "application/octet-stream"
TEXT = "text/plain"

_SMALLEST = 1e-12  # a vector of nothing but zeros has no direction, and stays as it is


def finished(vector: torch.Tensor, *, normalize: bool) -> torch.Tensor:
    """A vector [D], scaled to length 1 if that is wanted.

    Raises:
        ModelFault: it has NaN or infinity.
    """
    check_finite("an embedding", vector)
    if not normalize:
        return vector
    length = vector.double().norm()  # of large numbers, whose squares are none in float32
    return (vector / length.clamp(min=_SMALLEST)).float()


def encoded(vector: torch.Tensor, form: str) -> tuple[Any, Optional[str]]:
    """A vector float32 [D] in one of the formats json, float32 and base64, and its content type if not JSON's.

    Returns:
        A list of D numbers; D numbers of 4 bytes each, little-endian; or those bytes in base64 (RFC 4648).
    """
    if form == "json":
        return vector.tolist(), None
    numbers = vector.numpy().astype("<f4").tobytes()
    return (numbers, BYTES) if form == "float32" else (base64.b64encode(numbers).decode(), TEXT)
