"""Answers that are encoded as JSON here, since TorchServe would take seconds for a large one."""

from __future__ import annotations

import base64
import sys
from typing import Any

import orjson

JSON = "application/json"

# What the files of the formats that answers have start with.
_PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg"}


def encode_json(value: Any) -> bytes:
    """Encodes a value that may hold numpy arrays; floats get as many digits as tell them from their neighbours."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def is_sent_as_is(handler: Any, kind: Any) -> bool:
    """Whether bytes that `kind.postprocess` returns now go to the client, with no one in between who wants lists.

    A subclass may override `postprocess` or `handle` and work on their results; `handle` of one handler may be
    replaced (by MicroBatching, which its users set as an attribute); a request envelope wraps results in JSON.

    Args:
        handler: a handler that is answering a batch.
        kind: the class whose `postprocess` asks.
    """
    overridden = type(handler).postprocess is not kind.postprocess or type(handler).handle is not kind.handle
    return not (overridden or "handle" in vars(handler) or is_enveloped())


def is_enveloped() -> bool:
    """Whether a request envelope of torchserve's wraps the answers of this process in JSON."""
    # A worker serves one model, and imports an envelope only where that model has one.
    return "ts.torch_handler.request_envelope.base" in sys.modules


def data_uri(content: bytes | bytearray) -> str:
    """Bytes, such as a picture, as a text that JSON can hold (RFC 2397)."""
    kind = next((kind for start, kind in _PICTURES.items() if content.startswith(start)), None)
    return f"data:{kind or 'application/octet-stream'};base64,{base64.b64encode(content).decode()}"
