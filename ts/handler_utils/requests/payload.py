"""What a client sent, taken out of a row of TorchServe's batch."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from ts.handler_utils.errors import InvalidInput


def payload_of(row: Any) -> Any:
    """The payload of one row: what came as "data" (a form's field, a key of a JSON body) or else as "body".

    Args:
        row: `{"data": ...}` or `{"body": ...}`; a JSON body may hold "data" or "body" in its turn.

    Returns:
        bytes, bytearray, str, or any JSON value.

    Raises:
        InvalidInput: the row has neither.
    """
    payload = row
    while isinstance(payload, Mapping):
        nested = payload.get("data")
        payload = payload.get("body") if nested is None else nested
    if payload is None:
        raise InvalidInput('The request has neither "data" nor "body"')
    return payload


def decode_text_payload(text: str) -> bytes:
    """The bytes that a text stands for: a `data:` URI (RFC 2397) or base64 (RFC 4648).

    Raises:
        InvalidInput: it is neither.
    """
    header, comma, content = text.partition(",")
    if text.startswith("data:") and comma and not header.endswith(";base64"):
        return unquote_to_bytes(content)
    encoded = "".join((content if text.startswith("data:") else text).split())
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"The text is neither base64 nor a data: URI: {error}") from error
