"""Bounds for requests that an envelope makes several rows of: how many, and how large their answer may be."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from ts.handler_utils.answer_limit import answer_limit, check_answer_size
from ts.handler_utils.answering.leaving import refuse
from ts.handler_utils.answering.results import sendable
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.envelope_rows import count_requests
from ts.handler_utils.requests.json_encoding import is_enveloped


def check_rows(handler: Any, rows: Sequence[Any], context: Any) -> None:
    """Refuses a batch whose requests have more rows than they may.

    Args:
        handler: its setting `max_rows` is the limit of each request.
        rows: of the whole batch; which request each is of, only the envelope knows.
        context: the server's context.

    Raises:
        InvalidInput: 413, to be raised out of `handle`: an error a row could be more than can be sent.
    """
    requests = count_requests(context)
    most = Configuration.of(handler).settings.max_rows
    if requests and len(rows) > max(requests, requests * most):
        raise InvalidInput(
            f"The request has too many rows: {len(rows)}, and max_rows is {most}: send several requests, or raise"
            " handler.max_rows in model-config.yaml",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


def fit_answers(handler: Any, answers: list[Any], context: Any) -> list[Any]:
    """The answers to the rows of a batch, as many as fit into the one answer that an envelope makes of them.

    Args:
        handler: its setting `max_answer_bytes`, or the server's limit, is that of them all.
        answers: one a row.
        context: of the rows.

    Returns:
        The answers, from the first one on; and errors, 413, in the place of those that are too many.
    """
    if len(answers) < 2 or not is_enveloped():
        return answers
    limit, total, fitting = answer_limit(handler), 0, []
    for index, answer in enumerate(answers):
        size = sendable(answer, limit)[1]
        try:
            check_answer_size(handler, total + size, "send fewer rows")
        except InvalidInput as error:
            answer = refuse(handler, context, index, error)
        else:
            total += size
        fitting.append(answer)
    return fitting
