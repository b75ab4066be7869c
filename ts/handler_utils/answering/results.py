"""The results of hooks, made into what TorchServe can send."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import torch

from ts.handler_utils.requests.json_encoding import JSON, data_uri, is_enveloped

_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))

# The most bytes of a number in TorchServe's JSON, with what stands around it, and of a letter: "\\ud83d\\ude00".
_OF_A_NUMBER = 40
_OF_A_LETTER = 12
# How many times as long as JSON in one line TorchServe's may be, which gives each value a line and indents it.
_OF_INDENTS = 16


def sendable(result: Any, most_bytes: int) -> tuple[Any, int]:
    """A row's result as TorchServe sends it: bytes, text and tensors as they are, all else as JSON.

    Args:
        result: numbers, arrays and tensors of numpy and torch in it become Python's.
        most_bytes: the limit that its size is wanted for.

    Returns:
        What is to be sent, and how many bytes TorchServe makes of it; where they are far below the limit, not
        exactly.

    Raises:
        ValueError: it holds a number that JSON has not (NaN, infinity), or text that is no Unicode.
        TypeError: it holds something that JSON has no form for.
        RecursionError: its lists are nested too deeply.
    """
    if isinstance(result, str):
        return result, len(result.encode())
    if isinstance(result, (bytes, bytearray)):
        return result, len(result)
    if isinstance(result, torch.Tensor):
        return result, result.numel() * result.element_size()  # and a little more, by `torch.save`
    if _are_finite_numbers(result):
        size = len(result) * _OF_A_NUMBER + _OF_A_LETTER * sum(
            map(len, result if isinstance(result, dict) else ())
        )
        if size <= most_bytes:
            return result, size
    try:
        size = len(_JSON.encode(result))
    except TypeError:
        result = _plain(result)
        size = len(_JSON.encode(result))
    return result, size if size * _OF_INDENTS <= most_bytes else size + _indents(result)


def _indents(result: Any) -> int:
    """By how many bytes `json.dumps(result, indent=2)`, which TorchServe sends, is longer than without indents."""
    try:  # what differs between the two libraries is the same with and without
        return len(orjson.dumps(result, option=orjson.OPT_INDENT_2)) - len(orjson.dumps(result))
    except TypeError:  # keys that are no text, whole numbers of more than 64 bits
        return len(json.dumps(result, indent=2)) - len(_JSON.encode(result))


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
