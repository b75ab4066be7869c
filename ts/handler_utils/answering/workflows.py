"""Rows that fail in a node of a workflow (a `.war`): their requests stop there, instead of going on with an error.

torchserve 0.12's frontend hands the answer to each request on to the next node, whatever its status, and tells
the client 200. Only an error of a whole batch stops requests: all that are in it. It then asks the node again for
each, `retry-attempts` times (1 by default), and at last answers 500 and "Error executing <node>", whatever the
error's own status and message, which only the log has.

But a batch may be answered in several messages, and a request of a workflow goes on with the first one that has an
answer to it: an error that comes later does not concern it any more. So the rows that did not fail are sent first.

The model of a node is called <workflow>__<node>, and may also be asked by itself, past the workflow.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Any

from ts.utils.util import PredictionException

# The frontend adds one of these headers to what comes by HTTP for a model, but not for a workflow.
_OF_MODELS = frozenset({"explain", "describe"})
# Modules that a batch passes on its way from the server to the hooks.
_OURS = ("ts.handler_utils.", "ts.torch_handler.base_handler")
_SUCCESS = struct.pack("!i", HTTPStatus.OK)  # what a message starts with


class Refusal(dict[str, Any]):
    """The body of the answer to a row that failed: `{"code", "type", "message"}`."""


def stop_workflows(answers: list[Any], context: Any) -> list[Any]:
    """The answers to a batch, unless a request of a workflow failed.

    Then the other requests of workflows are answered here, and the error stops those that failed, which the
    frontend retries. It is also what those requests of the batch get that ask the node's model by itself, as 503.
    Where answers do not go to the server as they are, since a request envelope, a `handle` of a subclass or a
    handler around this one takes them, all requests of the batch get the error, as of torchserve's own handlers.

    Args:
        answers: one a row, a `Refusal` for each row that failed.
        context: the server's context of the batch.

    Raises:
        PredictionException: a request of a workflow failed.
    """
    refused = {index for index, answer in enumerate(answers) if isinstance(answer, Refusal)}
    requests = _workflow_requests(context) if refused else set()
    if requests and len(answers) != len(context.request_ids):
        raise _error(answers, refused)  # an envelope has made these rows, and only it knows of which requests
    if refused.isdisjoint(requests):
        return answers
    sent = _send(answers, requests - refused, context) if _server_waits() else set()
    raise _error(answers, set(range(len(answers))) - sent)


def _workflow_requests(context: Any) -> set[int]:
    """The indexes of those requests of a batch that a workflow has sent."""
    name = getattr(context, "model_name", None)
    if not isinstance(name, str) or "__" not in name:
        return set()
    if name == (context.manifest or {}).get("model", {}).get("modelName"):  # a model that is just called so
        return set()
    headers = (context.get_all_request_header(index) for index in range(len(context.request_ids)))
    return {index for index, names in enumerate(headers) if _is_of_workflow(names)}


def _is_of_workflow(headers: Collection[str]) -> bool:
    """Whether a request that a node got came by HTTP, which a request by gRPC does not, and not for its model.

    One that came for its model by TorchServe's old routes (`/models/<name>/invoke`, `/<name>/predict`,
    `/invocations`) has the same headers as one of a workflow: its connection breaks where another one fails.
    """
    names = {name.lower() for name in headers}
    return "host" in names and names.isdisjoint(_OF_MODELS)


def _server_waits() -> bool:
    """Whether it is torchserve itself that the answers go to, with no one in between who may change them."""
    frame: Any = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "ts.service"


def _send(answers: Sequence[Any], indexes: set[int], context: Any) -> set[int]:
    """Answers some requests of a batch, and tells the server that there is more to come.

    Returns:
        The indexes of the requests that are answered: all, or none where an answer cannot be encoded.
    """
    from ts.protocol.otf_message_handler import create_predict_response  # torchserve's own: it is what serves

    ids = {index: context.request_ids[index] for index in sorted(indexes)}
    message = create_predict_response(answers, ids, "Prediction success", 200, context, ts_stream_next=True)
    if not ids or message is None:  # of the processes that torchrun starts, only the first sends anything
        return indexes
    if not message.startswith(_SUCCESS):
        return set()
    context.cl_socket.sendall(message)
    return indexes


def _error(answers: Sequence[Any], unanswered: Collection[int]) -> PredictionException:
    """The error of the first row that failed, unless there are others whose fault it is not."""
    first = answers[min(unanswered)]
    if all(isinstance(answers[index], Refusal) for index in unanswered):
        return PredictionException(first["message"], first["code"])
    message = "The batch failed, since another request in it did"
    return PredictionException(message, int(HTTPStatus.SERVICE_UNAVAILABLE))
