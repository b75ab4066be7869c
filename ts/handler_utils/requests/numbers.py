"""Numbers as clients send them to a model that takes a tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import numpy as np
import orjson
import torch

from ts.handler_utils.errors import InvalidInput, is_out_of_memory
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.input_shapes import InputShapes
from ts.handler_utils.requests.payload import payload_of

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXACT = 2**24  # below it, whole numbers are float32 too, which they become beside fractions
_NUMBERS = (list, tuple, int, float, np.ndarray, torch.Tensor)


def decode_json(text: str | bytes | bytearray) -> Any:
    """What JSON says, by RFC 8259: no NaN, no infinity, no more than a thousand levels.

    Raises:
        InvalidInput: it is no JSON.
    """
    try:
        encoded = text.encode("utf-8") if isinstance(text, str) else bytes(text)
        start = len(_BYTE_ORDER_MARK) if encoded.startswith(_BYTE_ORDER_MARK) else 0
        return orjson.loads(encoded[start:])
    except ValueError as error:
        raise InvalidInput(f"The request is not JSON: {error}") from error


def read_numbers(payload: Any, dtype: Optional[torch.dtype] = None) -> torch.Tensor:
    """The nested lists of numbers that a client sent, as a tensor of the lists' shape.

    Args:
        payload: lists, or a single number; arrays and tensors, which a subclass may have made of its request, are
            taken too.
        dtype: of the tensor; by default int64 for whole numbers, and float32.

    Raises:
        InvalidInput: they are no lists of equal lengths, hold nothing, something else than numbers, or numbers
            that the type has no value for.
    """
    if isinstance(payload, bool) or not isinstance(payload, _NUMBERS):
        found = type(payload).__name__
        raise InvalidInput(f"A request holds nested lists of numbers, not a value of type {found}")
    try:
        values = torch.as_tensor(payload, dtype=dtype)
        are_finite = bool(values.isfinite().all())  # of 64 dimensions at most
    except Exception as error:  # of many kinds, by what is wrong
        if is_out_of_memory(error):
            raise
        raise InvalidInput(f"The nested lists cannot be read as a tensor: {error}") from error
    if not values.numel():
        raise InvalidInput(f"The nested lists hold no number: their shape is {list(values.shape)}")
    if not are_finite:
        raise InvalidInput(f"The nested lists hold NaN, infinity, or a number too large for {values.dtype}")
    return values


def batch_of_numbers(handler: Any, rows: Sequence[Any]) -> torch.Tensor:
    """The numbers of a batch as one tensor, on the handler's device.

    Args:
        handler: it is answering these rows.
        rows: `{"data": payload}` or `{"body": payload}` each, the payload nested lists or JSON of such; or what a
            subclass has made of its requests: numbers, or such JSON, which are taken as they are.

    Raises:
        RowErrors: some rows are no nested lists of numbers.
        ValueError: the rows do not go into one tensor.
    """
    current = CurrentBatch.of(handler)
    payloads = current.read(lambda index: numbers_of(rows[index]), rows)
    are_sent = any(isinstance(row, Mapping) for row in rows)
    has_weights = _has_weights(handler.model)
    batch = _at_once(payloads, check=are_sent) if has_weights or not are_sent else None
    if batch is None:
        tensors = current.each(lambda index: read_numbers(payloads[index]), len(payloads))
        batch = _stacked(tensors, of_one_type=not has_weights)
    sent = range(len(batch)) if are_sent else ()
    InputShapes.of(handler).note(dict.fromkeys(sent, batch.shape[1:]))
    return batch.to(handler.device)


def numbers_of(row: Any) -> Any:
    """What a row holds in the place of numbers, which is not looked at here.

    Raises:
        InvalidInput: it holds nothing, or text that is no JSON.
    """
    payload = payload_of(row) if isinstance(row, Mapping) else row
    if isinstance(payload, (str, bytes, bytearray)):  # without a content type, JSON comes as bytes
        payload = decode_json(payload)
    return payload


def _at_once(payloads: Sequence[Any], *, check: bool) -> Optional[torch.Tensor]:
    """All rows as one tensor; None where that fails or, of what clients sent, might change a row's numbers."""
    try:
        batch = torch.as_tensor(payloads)
        if not check or (batch.numel() and batch.dtype != torch.bool and bool((batch.abs() < _EXACT).all())):
            return batch
    except Exception as error:
        if is_out_of_memory(error):
            raise
    return None


def _has_weights(model: Any) -> bool:
    """Whether a model computes with fractions, so that whole numbers in its input may as well be such."""
    return isinstance(model, torch.nn.Module) and any(
        weight.is_floating_point() for weight in model.parameters()
    )


def _stacked(rows: Sequence[torch.Tensor], *, of_one_type: bool) -> torch.Tensor:
    shapes = {tuple(row.shape) for row in rows}
    if len(shapes) > 1:
        raise ValueError(f"the rows of a batch have differing shapes: {sorted(shapes)}")
    batch = torch.stack([*rows])
    for row in rows:
        if row.dtype != batch.dtype and (
            of_one_type or not torch.equal(row, row.to(batch.dtype).to(row.dtype))
        ):
            raise ValueError(f"a row of {row.dtype} does not go into a batch of {batch.dtype}")
    return batch
