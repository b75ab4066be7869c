"""Options of one request, such as `topk`: from form fields, keys of a JSON body, or `ts-<option>` headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ts.handler_utils.errors import InvalidInput


def read_option(row: Any, context: Any, index: int, name: str) -> Any:
    """The value that a request gives to an option, or None.

    Args:
        row: the request's row.
        context: the batch's context, for the request's headers; None for no headers.
        index: the row's index in the context.
        name: the option.

    Returns:
        Text where it came as a form field or a header; any JSON value where it came in a JSON body.
    """
    value = None
    while value is None and isinstance(row, Mapping):
        value = row.get(name)
        row = row.get("body") if row.get("data") is None else row["data"]
    if value is None and context is not None:
        value = context.get_request_header(index, f"ts-{name}")
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", errors="replace")
    return value


def positive_integer(name: str, value: Any) -> int:
    """Checks an option's value.

    Raises:
        InvalidInput: it is not a whole number of at least 1.
    """
    try:
        number = int(value) if not isinstance(value, (bool, float)) else None
    except (TypeError, ValueError):
        number = None
    if number is None or number < 1:
        raise InvalidInput(f"The option {name} must be a whole number of at least 1: {value!r}")
    return number
