"""Stands in for torchserve's `ts.handler_utils.utils`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Optional

from ts.context import Context
from ts.runner.answering.answer import STREAM_NEXT, encode, row_answer
from ts.runner.answering.intermediate import batch_failure


def import_class(class_name: str, module_prefix: Optional[str] = None) -> Any:
    """Imports a class by its dotted name.

    Args:
        class_name: `module.Class`, or `Class` alone if `module_prefix` is its module.
        module_prefix: a package or module that the name starts from.

    Raises:
        ImportError: there is no such class.
    """
    module_name, _, name = (class_name or "").rpartition(".")
    path = ".".join(filter(None, (module_prefix, module_name)))
    found = getattr(importlib.import_module(path), name, None) if path and name else None
    if found is None:
        raise ImportError(f"there is no class {class_name!r}" + (f" in {path}" if path else ""))
    return found


def send_intermediate_predict_response(
    ret: Any, req_id_map: Mapping[int, str], message: str, code: int, context: Context
) -> None:
    """Sends each client a part of its answer, before the handler returns the last.

    Args:
        ret: one result a row.
        req_id_map: the id of each row's request, by row index: `context.request_ids`.
        message: what was said if the batch failed.
        code: 200, or the HTTP status of a batch that failed.
        context: the batch's context.
    """
    for index, request_id in req_id_map.items():
        context.set_response_header(index, STREAM_NEXT, "true")
        if code == 200:
            answer = row_answer(encode(ret[index]), context.request_processor[index])
        else:
            answer = batch_failure(message, code)
        context.cl_socket.keep(request_id, answer)
