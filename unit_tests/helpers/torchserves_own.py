"""Code for the fixture `upstream`, in whose process `ts` is torchserve's own: ask a default handler of its."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

ASK = """
import base64, importlib, os, pickle
from types import SimpleNamespace
from ts.context import Context, RequestProcessor

os.chdir(arguments["folder"])
sys.path.append(arguments["folder"])  # as the server does
module = importlib.import_module("ts.torch_handler." + arguments["handler"])
handler = getattr(module, arguments["handler"].title().replace("_", ""))()
manifest = {"model": {"modelName": "test", **arguments["model"]}}
metrics = SimpleNamespace(add_time=lambda *arguments: None)
context = Context("test", ".", manifest, 1, None, "0.12.0", True, metrics, {})

def ask(rows):
    context.request_ids = {index: "request" for index in range(len(rows))}
    context._request_processor = [RequestProcessor(arguments["headers"]) for _ in rows]
    return handler.handle(rows, context)

handler.initialize(context)
"""
ANSWER = """
answer([ask(rows) for rows in pickle.loads(base64.b64decode(arguments["batches"]))])
"""


def asking(upstream: Callable[..., Any]) -> Callable[..., list[Any]]:
    """A function `ask(handler, folder, model, batches)`, which gives a list of answers for each batch."""

    def ask(
        handler: str,
        folder: Path,
        model: dict[str, str],
        batches: Sequence[Sequence[dict[str, Any]]],
        *,
        headers: Optional[dict[str, str]] = None,
        prepare: str = "",
    ) -> list[Any]:
        """What torchserve's own default handler answers.

        Args:
            handler: a module in `ts.torch_handler`, "image_classifier".
            folder: of an unpacked archive.
            model: entries of the manifest's `model`.
            batches: rows as the server gives them to a handler.
            headers: of each request.
            prepare: code that runs once `handler` has been initialized.
        """
        answers = upstream(
            f"{ASK}{prepare}\n{ANSWER}",
            handler=handler,
            folder=str(folder),
            model=model,
            headers=headers or {},
            batches=base64.b64encode(pickle.dumps(batches)).decode(),
        )
        return json.loads(json.dumps(answers))

    return ask
