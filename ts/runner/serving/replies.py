"""Replies to requests: a handler's answers, and errors with TorchServe's statuses, types and sentences."""

from __future__ import annotations

import json
import logging
import operator
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from typing import Optional

from ts.runner.answering.answer import JSON, Answer

logger = logging.getLogger(__name__)

FIRST_STATUS, LAST_STATUS = 200, 599  # that may end a request (RFC 9110, section 15)
WITHOUT_BODY = (204, 205, 304)
SOON = {"retry-after": "1"}  # seconds


@dataclass(frozen=True)
class Reply:
    """What a client gets.

    Attributes:
        status: HTTP status code.
        body: The bytes.
        content_type: None where the handler set none, since TorchServe then sends none.
        headers: Others, in texts that a header can hold.
        more: What follows the body as it comes, where a handler sends an answer in parts; raises a ConnectionError
            if that breaks off.
    """

    status: int
    body: bytes
    content_type: Optional[str] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Optional[AsyncIterable[bytes]] = None


class Refused(Exception):
    """A request that no handler answered.

    Attributes:
        reason: In a few words that are always the same, for metrics.
        reply: What the client gets.
    """

    def __init__(self, reason: str, reply: Reply) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


def reply_of(answer: Answer) -> Reply:
    """A handler's answer, after what it sent before: the bodies in one, the rest as the first has it."""
    parts = (*answer.intermediate, answer)
    first = parts[0]
    status = operator.index(first.status)
    if not ends_request(status):
        logger.error("the handler set the status %s, which ends no HTTP request", status)
        return error_reply(503, "InternalServerException", "Prediction failed")
    content_type = header_text(first.content_type) if first.content_type is not None else None
    headers = {header_text(name): header_text(value) for name, value in first.headers.items()}
    body = b"" if status in WITHOUT_BODY else b"".join(part.body for part in parts)
    return Reply(status, body, content_type, headers)


def ends_request(status: int) -> bool:
    return FIRST_STATUS <= status <= LAST_STATUS


def header_text(value: object) -> str:
    """A text without what ends a header, and in the characters that one can have (RFC 9110, section 5.5)."""
    text = str(value).encode("latin-1", "replace").decode("latin-1")
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def json_reply(status: int, value: object, headers: Optional[Mapping[str, str]] = None) -> Reply:
    """A JSON document, written as TorchServe's frontend writes it."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return Reply(status, text.encode("utf-8", "replace"), JSON, headers or {})


def error_reply(status: int, kind: str, message: str, headers: Optional[Mapping[str, str]] = None) -> Reply:
    return json_reply(status, {"code": status, "type": kind, "message": message}, headers)


def model_not_found(name: str) -> Refused:
    message = f"Model not found: {name}"
    return Refused("model not found", error_reply(404, "ModelNotFoundException", message))


def version_not_found(name: str, version: str) -> Refused:
    message = f"Model version: {version} does not exist for model: {name}"
    return Refused("version not found", error_reply(404, "ModelVersionNotFoundException", message))


def path_not_found() -> Refused:
    message = "Requested resource is not found, please refer to API document."
    return Refused("path not found", error_reply(404, "ResourceNotFoundException", message))


def method_not_allowed(headers: Mapping[str, str]) -> Refused:
    message = "Requested method is not allowed, please refer to API document."
    reply = error_reply(405, "MethodNotAllowedException", message, headers)
    return Refused("method not allowed", reply)


def bad_request(message: str) -> Refused:
    return Refused("bad request", error_reply(400, "BadRequestException", message))


def too_large(limit: int, size: Optional[int] = None) -> Refused:
    """A body of `size` bytes; None if it is not known, since it was not read to its end."""
    found = f"more than {limit}" if size is None else str(size)
    message = (
        f"The request is too large: {found} bytes, and --max-request-size is {limit}: send a smaller one"
    )
    reply = error_reply(413, "RequestEntityTooLargeException", message, {"connection": "close"})
    return Refused("too large", reply)


def too_slow(size: int) -> Reply:
    message = f"The request came too slowly: only {size} bytes of it have arrived in time"
    return error_reply(408, "RequestTimeoutException", message, {"connection": "close"})


def client_left() -> Refused:
    return Refused("client left", Reply(400, b""))  # which nobody gets


def no_worker(name: str) -> Refused:
    message = f'Model "{name}" has no worker to serve inference request.'
    return Refused("no worker", error_reply(503, "ServiceUnavailableException", message, SOON))


def queue_full(name: str, size: int) -> Refused:
    """More requests wait than may; TorchServe says the same of it as of a model without workers."""
    waiting = f"{size} requests wait already, its jobQueueSize."
    message = f'Model "{name}" has no worker to serve inference request. {waiting}'
    return Refused("queue full", error_reply(503, "ServiceUnavailableException", message, SOON))


def worker_died() -> Refused:
    return Refused("worker died", error_reply(503, "InternalServerException", "Worker died.", SOON))


def no_response(seconds: float) -> Refused:
    message = f"Worker did not respond within {seconds:g} seconds, its responseTimeout."
    return Refused("no response", error_reply(503, "InternalServerException", message, SOON))


def stopping() -> Refused:
    return Refused(
        "stopping", error_reply(503, "ServiceUnavailableException", "The server is stopping.", SOON)
    )
