"""Inputs as the rows that a TorchServe worker hands to a handler.

What a live torchserve 0.12 gives (unit_tests/server compares): a request's body is the row's "body", as a
bytearray; a JSON body (content type application/json) is parsed, a text body (text/*) is a str, and either stays
a bytearray where that fails. A form gives one entry a field: files like bodies, text fields as bytearrays.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

from ts.runner.errors import InputError

Input = Union[bytes, bytearray, str, Path, "dict[str, Any]", "list[Any]"]
JSON = "application/json"
TEXT = "text/plain"
FILE = "application/octet-stream"  # what a form's file is unless the client says so


@dataclass(frozen=True)
class Request:
    """One row, and its request's headers, as a handler sees them."""

    row: dict[str, Any]
    headers: dict[str, Any]

    def again(self) -> Request:
        """What a handler is given for the rest of an answer: the request's headers, and no more of the row."""
        headers = copy.copy(self.headers)  # which may know its names in any case
        for name in [name for name, value in headers.items() if isinstance(value, dict)]:
            del headers[name]
        return Request({}, headers)


def prediction(
    value: Input,
    options: Optional[Mapping[str, Any]] = None,
    explain: bool = False,
    headers: Optional[Mapping[str, str]] = None,
) -> Request:
    """A request to /predictions, or to /explanations.

    Without options it is a plain body; with options a form, whose field "data" is the input.

    Args:
        value: bytes (a raw body), str (a text body), a dict or list (a JSON body), or the Path of a file, which
            is a JSON body if it ends in .json, and else a raw one.
        options: Values by name; anything but str and bytes is written as JSON.
        explain: Whether it goes to /explanations.
        headers: More headers of the request. A Content-Type is that of the input.

    Raises:
        InputError: Not such a value, or the file cannot be read.
    """
    given = dict(headers or {})
    type_header = next((name for name in given if name.lower() == "content-type"), "Content-Type")
    body, guessed = read_input(value)
    full_type = given.pop(type_header, guessed)
    content_type = full_type.partition(";")[0].strip()
    name = "data" if options else "body"
    fields = {key: bytearray(field_bytes(option)) for key, option in (options or {}).items()}
    parts = {name: content_type or (FILE if options else ""), **dict.fromkeys(fields, "")}
    seen: dict[str, Any] = {part: {"content-type": kind} for part, kind in parts.items()}
    seen.update({**given, "explain": str(explain), "url_path": ""})
    if full_type and not options:
        seen[type_header] = full_type
    return Request({name: decode(body, content_type), **fields}, seen)


def description() -> Request:
    """What `GET /models/NAME?customized=true` asks a handler."""
    return Request({}, {"describe": "True"})


def read_input(value: Input) -> tuple[bytes, str]:
    """The bytes that a client would send, and their content type ("" where it would name none)."""
    if isinstance(value, Path):
        return read_file(value), JSON if value.suffix.lower() == ".json" else ""
    if isinstance(value, str):
        return value.encode(), TEXT
    if isinstance(value, (dict, list)):
        return json_bytes(value), JSON
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value), ""
    raise InputError(f"an input may be bytes, str, Path, dict or list, not {type(value).__name__}")


def decode(body: bytes, content_type: str) -> Any:
    try:
        if content_type == JSON:
            return json.loads(body)
        if content_type.startswith("text"):
            return body.decode()
    except (ValueError, RecursionError):  # TorchServe leaves it to the handler
        pass
    return bytearray(body)


def read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def field_bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value.encode() if isinstance(value, str) else json_bytes(value)


def json_bytes(value: Any) -> bytes:
    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"an input or option cannot be written as JSON: {error}") from error
