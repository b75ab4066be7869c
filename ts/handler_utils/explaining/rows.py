"""Explanations of the rows of a batch, each about its own class."""

from __future__ import annotations

from typing import Any, Callable

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.payload import payload_of


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
    """
    if not hasattr(handler, "get_insights"):
        raise InvalidInput(f"{type(handler).__name__} gives no explanations")
    explanations = []
    for index, (row, options) in enumerate(zip(rows, Configuration.of(handler).options(len(rows)))):
        single = batch[index : index + 1]
        explanations += handler.get_insights(single, payload_of(row), target_of(single, options))
    return explanations
