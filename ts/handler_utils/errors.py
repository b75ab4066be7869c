"""What goes wrong with a request, and what the client is told."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import torch

from ts.utils.util import PredictionException

# The names that TorchServe gives to errors of these statuses.
_TYPES: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "BadRequestException",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "RequestEntityTooLargeException",
    HTTPStatus.INSUFFICIENT_STORAGE: "OutOfMemoryException",
}


class InvalidInput(PredictionException):
    """The request itself is at fault: 400, unless a more telling status is given."""

    def __init__(self, message: str, error_code: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message, int(error_code))


class ModelFault(ValueError):
    """What the model returned for a row is no answer, such as NaN: 503, and the message goes to the log only."""


class RowErrors(Exception):
    """A hook cannot read some rows of its batch: raised to name them, so that the others are answered.

    Args:
        errors: the error of each such row, by its index in the batch.
    """

    def __init__(self, errors: Mapping[int, Exception]) -> None:
        super().__init__("; ".join(f"row {index}: {shown(error)}" for index, error in errors.items()))
        self.errors = errors


def is_out_of_memory(error: BaseException) -> bool:
    """Whether host or device memory ran out (torch's CPU allocator raises a plain RuntimeError)."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in shown(error)


def error_answer(error: BaseException, most_bytes: int = 1000) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the body `{"code", "type", "message"}` that an error is answered with.

    A `PredictionException` has its own; a lack of memory is 507; anything else is what TorchServe answers to a
    handler that raises: 503, and no detail, which goes to the log instead.

    Args:
        error: what was raised.
        most_bytes: of the message, which is cut if it is longer: it may hold what the client has sent.
    """
    if isinstance(error, PredictionException):
        status, message = _status(error.error_code), shortened(shown(error.message), most_bytes)
    elif is_out_of_memory(error):
        status, message = int(HTTPStatus.INSUFFICIENT_STORAGE), "Out of memory: the request does not fit"
    else:
        status, message = int(HTTPStatus.SERVICE_UNAVAILABLE), "Prediction failed"
    default_type = "BadRequestException" if 400 <= status < 500 else "InternalServerException"
    return status, {"code": status, "type": _TYPES.get(status, default_type), "message": message}


def shortened(message: str, most_bytes: int) -> str:
    """A message of so many bytes at most, in UTF-8, which says how many it had."""
    encoded = message.encode("utf-8", "backslashreplace")  # half a surrogate pair is no text that can be sent
    if len(encoded) <= most_bytes:
        return encoded.decode()
    note = f"... ({len(encoded)} bytes)"
    return encoded[: most_bytes - len(note)].decode("utf-8", "ignore") + note


def shown(value: Any) -> str:
    """`str(value)`, which fails for an object that fails to describe itself."""
    try:
        return str(value)
    except Exception as error:
        return f"a {type(value).__name__}, of which nothing can be told: {type(error).__name__}"


def _status(code: Any) -> int:
    """The status that a `PredictionException` carries: any that ends a request, not only those that HTTP names."""
    try:
        status = int(code)
    except Exception:
        status = 0
    return status if is_final(status) else int(HTTPStatus.INTERNAL_SERVER_ERROR)


def is_final(status: int) -> bool:
    """Whether a client takes a status for the end of its request: after 1xx it waits for more (RFC 9110, 15.2)."""
    return 200 <= status <= 999
