"""The results of hooks, made into what TorchServe can send."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ts.handler_utils.requests.json_encoding import JSON, data_uri, is_enveloped

_JSON = json.JSONEncoder(allow_nan=False)


def sendable(result: Any) -> Any:
    """A row's result as TorchServe sends it: bytes, text and tensors as they are, all else as JSON.

    Numbers, arrays and tensors of numpy and torch in it become Python's.

    Raises:
        ValueError: it holds a number that JSON has not (NaN, infinity), or text that is no Unicode.
        TypeError: it holds something that JSON has no form for.
    """
    if isinstance(result, str):
        result.encode()
    if isinstance(result, (str, bytes, bytearray, torch.Tensor)) or _are_finite_numbers(result):
        return result
    try:
        _JSON.encode(result)
    except TypeError:
        result = _plain(result)
        _JSON.encode(result)
    return result


def _are_finite_numbers(result: Any) -> bool:
    """Whether it is a list of nothing else, or a dictionary of them by names: what most answers are."""
    values = result
    if type(result) is dict and set(map(type, result)) == {str}:
        values = list(result.values())
    if type(values) is not list or not set(map(type, values)) <= {int, float}:
        return False
    try:
        return math.isfinite(sum(values))
    except OverflowError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.generic, np.ndarray, torch.Tensor)) else value


def for_envelope(result: Any) -> tuple[Any, str | None]:
    """A result as a request envelope can write it, in JSON; and its content type, where that changes."""
    if isinstance(result, (bytes, bytearray)) and is_enveloped():
        return data_uri(result), JSON
    return result, None
