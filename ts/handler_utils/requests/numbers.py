"""Numbers as clients send them to a model that takes a tensor."""

from __future__ import annotations

import json
from typing import Any

import torch

from ts.handler_utils.errors import DATA_ERRORS, InvalidInput
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.payload import payload_of


def numbers_of(row: Any) -> Any:
    """The nested lists of numbers that a row holds.

    Args:
        row: `{"data": payload}` or `{"body": payload}`, or the payload itself: lists, or JSON of such.

    Raises:
        InvalidInput: it holds something else.
    """
    payload = payload_of(row) if isinstance(row, dict) else row
    if isinstance(payload, (str, bytes, bytearray)):  # without a content type, JSON comes as bytes
        try:
            payload = json.loads(payload)
        except ValueError as error:
            raise InvalidInput(f"The request is not JSON: {error}") from error
    return payload


def stack_numbers(handler: Any, rows: list[Any]) -> torch.Tensor:
    """The numbers of a batch as one tensor, on the handler's device.

    Raises:
        RowErrors: some rows are no nested lists of numbers.
        ValueError: the rows have differing shapes.
    """
    try:
        return torch.as_tensor(rows, device=handler.device)
    except (*DATA_ERRORS, RuntimeError):
        CurrentBatch.of(handler).each(lambda index: _check(rows[index]), len(rows))
        raise


def _check(payload: Any) -> None:
    try:
        torch.as_tensor(payload)
    except (*DATA_ERRORS, RuntimeError) as error:
        raise InvalidInput(f"The request cannot be read as numbers: {error}") from error
