"""Explanations of the rows of a batch, each about its own class."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, Callable

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.payload import payload_of
from ts.handler_utils.text.batch import TextBatch


def explains_by_own_code(handler: Any) -> bool:
    """Whether a subclass brings a `get_insights` of its own."""
    own = getattr(handler, "get_insights", None)
    return own is not None and not str(getattr(own, "__module__", "")).startswith("ts.")


def wanted_target(_: Any, options: Any) -> Any:
    """The class that a request names; of a handler without the option `target`, class 0, as with torchserve."""
    return getattr(options, "target", 0)


def explain_rows(
    handler: Any, batch: Any, rows: list[Any], target_of: Callable[[Any, Any], Any] = wanted_target
) -> list[Any]:
    """Explains each row of a batch, by the handler's `get_insights`.

    Args:
        handler: the handler.
        batch: as `preprocess` returned it.
        rows: as they came.
        target_of: the class to explain, by a batch of one row and the row's options.

    Returns:
        One explanation a row.

    Raises:
        InvalidInput: the handler has no `get_insights`.
        RowErrors: some rows cannot be explained.
    """
    if not hasattr(handler, "get_insights"):
        raise InvalidInput(f"{type(handler).__name__} gives no explanations")
    if explains_by_own_code(handler):
        return _explain_by_own_code(handler, batch, rows)
    options = Configuration.of(handler).options(len(rows))

    def explain(index: int) -> list[Any]:
        single = batch[index : index + 1]
        return handler.get_insights(single, payload_of(rows[index]), target_of(single, options[index]))

    return list(chain.from_iterable(CurrentBatch.of(handler).each(explain, len(rows))))


def _explain_by_own_code(handler: Any, batch: Any, rows: list[Any]) -> list[Any]:
    """Calls `get_insights` as torchserve does, with what the row holds and its `target` as it came, or 0."""
    explanations = []
    for index, row in enumerate(rows):
        single = batch if len(rows) == 1 else _row_of(batch, index, len(rows))
        found = row if isinstance(row, Mapping) else {}
        inputs, target = found.get("data") or found.get("body"), found.get("target") or 0
        explanation = handler.get_insights(single, inputs, target)
        if len(rows) == 1:
            return explanation
        explanations += explanation
    return explanations


def _row_of(batch: Any, index: int, rows: int) -> Any:
    """One row of a batch, of which only tensors of as many rows are known to be made of rows."""
    is_tensor = isinstance(batch, torch.Tensor) and batch.dim() > 0
    if (is_tensor or isinstance(batch, TextBatch)) and len(batch) == rows:
        return batch[index : index + 1]
    if isinstance(batch, dict):
        return {name: _row_of(value, index, rows) for name, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        values = [_row_of(value, index, rows) for value in batch]
        return type(batch)(*values) if hasattr(batch, "_fields") else type(batch)(values)
    return batch
