"""What a client sent, taken out of a row of TorchServe's batch."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Optional
from urllib.parse import unquote_to_bytes

from ts.handler_utils.errors import InvalidInput

# The keys under which a row has its payload, and an object that stands for bytes has them.
PAYLOADS = ("data", "body")
_BASE64_OBJECT = "b64"  # {"b64": "..."}, of TensorFlow Serving's and Vertex AI's JSON

# Keys of a JSON body by protocols that a service envelope of TorchServe's is for.
_PROTOCOLS = {
    "instances": "a body of several instances: register the model with a service_envelope (json, kserve)",
    "inputs": "a body of the KServe v2 protocol: register the model with service_envelope kservev2",
}

# How an image that is sent as base64 begins, in bytes too: no format of images does, and no JSON.
_BEGINS_AS_BASE64 = re.compile(rb"\s*((?i:data:)|([A-Za-z0-9+/_-]{16,}\s*){2})")


def payload_of(row: Any) -> Any:
    """The payload of one row: what came as "data" (a form's field, a key of a JSON body) or else as "body".

    Args:
        row: `{"data": ...}` or `{"body": ...}`; a JSON body may hold "data" or "body" in its turn, or be
            `{"b64": base64 text}`.

    Returns:
        bytes, bytearray, str, or any JSON value.

    Raises:
        InvalidInput: the row has neither, or both.
    """
    payload = row
    while isinstance(payload, Mapping):
        given = [payload[key] for key in PAYLOADS if payload.get(key) is not None]
        if len(given) == 2:
            raise InvalidInput('The request has "data" and "body": one of them is to be sent')
        if not given:
            return _of_other_form(payload)
        payload = given[0]
    if payload is None:
        raise InvalidInput('The request has neither "data" nor "body"')
    return payload


def _of_other_form(body: Mapping[str, Any]) -> Any:
    if isinstance(body.get(_BASE64_OBJECT), str):
        return body[_BASE64_OBJECT]
    protocol = next((about for key, about in _PROTOCOLS.items() if key in body), None)
    hint = f"; it is {protocol}" if protocol else ""
    raise InvalidInput(f'The request has neither "data" nor "body"{hint}')


def decode_text_payload(text: str) -> bytes:
    """The bytes that a text stands for: a `data:` URI (RFC 2397) or base64 (RFC 4648).

    Of base64, both alphabets are read, with and without padding, in lines or in one.

    Raises:
        InvalidInput: it is neither.
    """
    text = text.strip()
    header, comma, content = text.partition(",")
    is_uri = header[:5].lower() == "data:" and comma
    if is_uri and not header.lower().endswith(";base64"):
        return unquote_to_bytes(content)
    encoded = unquote_to_bytes(content) if is_uri else text.encode("ascii", "replace")
    encoded = b"".join(encoded.split()).translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
    try:
        return base64.b64decode(encoded + b"=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"The text is neither base64 nor a data: URI: {error}") from error


def encoded_bytes(payload: Any) -> Optional[Any]:
    """The bytes of an encoded file, such as an image.

    Args:
        payload: bytes, which may be base64 in their turn; or base64 text, or a `data:` URI.

    Returns:
        The bytes; None where the payload is something else, such as nested lists.

    Raises:
        InvalidInput: the text is neither base64 nor a `data:` URI.
    """
    if isinstance(payload, str):
        return decode_text_payload(payload)
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        return None
    if _BEGINS_AS_BASE64.match(payload):
        return decode_text_payload(bytes(payload).decode("ascii", "replace"))
    return payload


def is_encoded(row: Any) -> bool:
    """Whether the payload of a row is bytes or text, rather than lists of numbers."""
    return isinstance(payload_of(row), (str, bytes, bytearray, memoryview))
