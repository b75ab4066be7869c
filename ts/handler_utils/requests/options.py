"""Options of one request, such as `topk`: from form fields, keys of a JSON body, or `ts-<option>` headers.

A JSON body may also hold them in `parameters`, as an input of the KServe v2 protocol does.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.payload import PAYLOADS


class Options(BaseModel):
    """What one request may ask for; the same names are settings, which hold for every request.

    Attributes:
        handler_attributes: names of those options whose default is the handler's attribute of the same name. They
            are the ones that torchserve's handlers read from the instance, such as `topk`: any other attribute of
            a subclass is its own.
    """

    model_config = ConfigDict(frozen=True)

    handler_attributes: ClassVar[frozenset[str]] = frozenset()


HEADER = "ts-"

Kind = TypeVar("Kind", bound=Options)

_MOST_PROBLEMS = 5  # that an error names
_IN_SHORT = reprlib.Repr()
_IN_SHORT.maxstring = _IN_SHORT.maxother = _IN_SHORT.maxlong = 200  # characters
_IN_SHORT.maxlevel = 3


def read_options(kind: type[Kind], row: Any, header: Any, defaults: Mapping[str, Any]) -> Kind:
    """The options of one request.

    Args:
        kind: the options that there are.
        row: the request's row.
        header: gives a header of the request by its name, or None.
        defaults: the values of options that the request does not name.

    Raises:
        InvalidInput: a value is wrong; the message names the option, the value and what is allowed.
    """
    places = list(_places(row))
    given = {name: _given(name, places, header) for name in kind.model_fields}
    try:
        return kind(**{**defaults, **{name: value for name, value in given.items() if value is not None}})
    except ValidationError as invalid:
        raise InvalidInput(f"Wrong option: {describe_problems(invalid)}") from invalid


def may_hold_options(row: Any, headers: Mapping[str, Any] | None) -> bool:
    """Whether a request may give any option, which most do not.

    Args:
        row: the request's row.
        headers: all of its headers; None where they are not known.
    """
    if headers is None or not isinstance(row, Mapping):
        return True
    if any(name not in PAYLOADS or isinstance(value, Mapping) for name, value in row.items()):
        return True
    return any(name[: len(HEADER)].lower() == HEADER for name in headers)


def _places(row: Any) -> Iterator[Mapping[str, Any]]:
    """Where a row may hold options."""
    while isinstance(row, Mapping):
        yield row
        parameters = row.get("parameters")  # of an input of the KServe v2 protocol
        if isinstance(parameters, Mapping):
            yield parameters
        row = row.get("body") if row.get("data") is None else row["data"]


def _given(name: str, places: Iterable[Mapping[str, Any]], header: Any) -> Any:
    for place in places:
        value = place.get(name)
        if value is not None:
            return value.decode("utf-8", errors="replace") if isinstance(value, (bytes, bytearray)) else value
    value = header(HEADER + name)
    return (
        value if isinstance(value, str) else None
    )  # contexts that tests make up answer False for any header


def check_target(target: int, classes: int) -> int:
    """The class that the option `target` names, if the model has it.

    Raises:
        InvalidInput: it has not.
    """
    if not 0 <= target < classes:
        raise InvalidInput(f"Wrong option: target must be from 0 to {classes - 1}, but it is {target}")
    return target


def describe_problems(invalid: ValidationError, prefix: str = "") -> str:
    """What is wrong with values that pydantic refused: for each its name, what is allowed, and the value."""
    problems = invalid.errors(include_url=False)
    told = [_describe_problem(problem, prefix) for problem in problems[:_MOST_PROBLEMS]]
    more = len(problems) - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def _describe_problem(problem: Any, prefix: str) -> str:
    name, value = prefix + ".".join(map(str, problem["loc"])), in_short(problem["input"])
    if problem["type"] == "value_error":  # of a validator of ours, whose sentence pydantic wraps
        return f"{name} is {value}: {problem['ctx']['error']}"
    return f"{name}: {problem['msg']}, but it is {value}"


def in_short(value: Any) -> str:
    """`repr(value)`, cut where it is long: values come from strangers."""
    try:
        return _IN_SHORT.repr(value)
    except Exception:  # a number of too many digits, an object of somebody's
        return f"a value of type {type(value).__name__}"
