"""Where answers leave: what becomes of a row's result or error on its way to the server."""

from __future__ import annotations

import inspect
import logging
import re
from typing import Any

from ts.handler_utils.answer_limit import answer_limit, check_answer_size
from ts.handler_utils.answering.envelopes import SharedAnswer
from ts.handler_utils.answering.results import for_envelope, sendable
from ts.handler_utils.answering.workflows import Refusal
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import error_answer, is_final
from ts.handler_utils.requests.json_encoding import JSON, is_enveloped
from ts.handler_utils.requests.rows import server_context, takes_statuses

logger = logging.getLogger(__name__)

# What HTTP allows in the name of a header (RFC 9110, 5.6.2); what it does not in a value, nor a log in a line.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_LONGEST_HEADER = 65_536  # characters


def answer_of(handler: Any, context: Any, index: int, result: Any) -> Any:
    """The answer to a row of a batch, which is valid whatever hooks have made of it.

    Args:
        handler: whose settings bound the answer.
        context: of the batch; it gets the status of a row that failed.
        index: of the row.
        result: what the hooks have made of the row, or the exception that they have raised.

    Raises:
        Exception: the row's, where the context takes no statuses, as in a test of a handler.
    """
    if isinstance(result, Exception):
        return refuse(handler, context, index, result)
    try:
        return _answer(handler, context, index, result)
    except Exception as error:
        return refuse(handler, context, index, error)


def _answer(handler: Any, context: Any, index: int, result: Any) -> Any:
    shared = SharedAnswer.of(handler)
    check_answer_size(handler, shared.taken, "send fewer rows")
    answer, content_type = for_envelope(result)
    answer, size = sendable(answer, answer_limit(handler))
    shared.take(size)
    if content_type is not None:
        context.set_response_content_type(index, content_type)
    _check_head(context, index)
    return answer


def _check_head(context: Any, index: int) -> None:
    """Keeps to itself what hooks have set that would end the worker: its frontend kills it for a head like that.

    Raises:
        ValueError: they have set a status or a header that cannot be sent.
    """
    if not inspect.isroutine(getattr(server_context(context), "get_response_headers", None)):
        return
    headers = context.get_response_headers(index)
    for name, value in [*headers.items()]:
        if not _can_be_sent(name, value):
            del headers[name]
            raise ValueError(
                f"a hook has set the header {name!r:.100} to what cannot be sent: {value!r:.100}"
            )
    status, phrase = context.get_response_status(index)
    if status is not None and not (isinstance(status, int) and is_final(status)):
        raise ValueError(f"a hook has set the status {status!r:.100}, which must be from 200 to 999")
    if phrase and not (isinstance(phrase, str) and phrase.isascii() and phrase.isprintable()):
        context.set_response_status(
            status, _CONTROL.sub(" ", str(phrase)).encode("ascii", "replace").decode(), index
        )


def _can_be_sent(name: Any, value: Any) -> bool:
    if not (isinstance(name, str) and isinstance(value, str) and _NAME.fullmatch(name)):
        return False
    is_text = (
        name.lower() != "content-type" or value.isascii()
    )  # whose characters TorchServe counts for bytes
    return is_text and len(value) <= _LONGEST_HEADER and not _CONTROL.search(value)


def refuse(handler: Any, context: Any, index: int, error: Exception) -> dict[str, Any]:
    """Sets the status of a row that failed, and returns the body of its answer.

    What a client has caused is a line of the log; anything else is there with its traceback.

    Raises:
        Exception: the error, where the context takes no statuses.
    """
    if not (takes_statuses(context) or is_enveloped()):
        raise error
    status, body = error_answer(error, Configuration.of(handler).settings.max_error_bytes)
    server = server_context(context)
    request = context.get_request_id(index) if hasattr(server, "get_request_id") else index
    if status < 500:
        logger.info("Request %s: %d, %s", request, status, _CONTROL.sub(" ", body["message"]))
    else:
        logger.error("Request %s: %d, %s", request, status, body["message"], exc_info=error)
    context.set_response_status(status, body["type"], index)
    if hasattr(server, "set_response_content_type"):
        context.set_response_content_type(index, JSON)  # not that of an answer, which a hook may have set
    return Refusal(body)
