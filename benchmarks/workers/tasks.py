"""What a worker does: it starts a handler as TorchServe does, and answers batches with it.

Nothing is imported here that a handler might not need, because the start of a worker is timed too.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Optional

from benchmarks.workers.spec import Answer, Spec


class Tasks:
    """The messages that a worker understands."""

    def __init__(self) -> None:
        self._answer: Answer = no_task
        self._synchronize: Callable[[], None] = lambda: None
        self._batches = 1

    def prepare(self, spec: Spec) -> list[str]:
        """Gets a task ready, and returns what the reader of its figures should know."""
        self._batches = len(spec.batches)
        if spec.side == "machine":
            from benchmarks.workers.yardsticks import YARDSTICKS

            self._answer = YARDSTICKS[spec.task](spec)
        else:
            self._answer = TASKS[spec.task](spec)
        if spec.device == "cuda":
            import torch

            self._synchronize = torch.cuda.synchronize
        return spec.notes

    def run(self, first: int, repeats: int) -> float:
        """Answers `repeats` batches one after the other, and returns the seconds that one took."""
        self._synchronize()
        start = time.perf_counter()
        for number in range(first, first + repeats):
            self._answer(number % self._batches)
        self._synchronize()
        return (time.perf_counter() - start) / repeats

    def answers(self) -> list[Any]:
        """The answers to the first batch, as plain values, arrays and bytes."""
        return portable(self._answer(0))


def no_task(_: int) -> Any:
    raise RuntimeError("no task has been prepared")


def portable(value: Any) -> Any:
    if hasattr(value, "cpu"):
        return value.float().cpu().numpy()
    if isinstance(value, (list, tuple)):
        return [portable(item) for item in value]
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    return value


# The handlers ------------------------------------------------------------------------------------------------


def preprocess(spec: Spec) -> Answer:
    """The first hook alone."""
    handler, context = start_handler(spec)
    handler.context = context
    rows = rows_of(spec)
    return lambda number: handler.preprocess(rows[number])


def inference(spec: Spec) -> Answer:
    """The second hook alone, on batches that were preprocessed before."""
    handler, context = start_handler(spec)
    handler.context = context
    batches = [handler.preprocess(rows) for rows in rows_of(spec)]
    return lambda number: handler.inference(batches[number])


def handle(spec: Spec) -> Answer:
    """A whole batch, from rows to answers."""
    handler, context = start_handler(spec)
    rows = rows_of(spec)
    if not spec.encoded:
        return lambda number: handler.handle(rows[number], context)
    return lambda number: encoded(handler.handle(rows[number], context))


def handle_one_by_one(spec: Spec) -> Answer:
    """The rows of a batch each in a batch of its own, for a handler that answers only the first."""
    handler, context = start_handler(spec)
    rows = rows_of(spec)
    return lambda number: [handler.handle([row], context)[0] for row in rows[number]]


def postprocess(spec: Spec) -> Answer:
    """A batch whose output the model has already given: what is left is the answer, and its encoding."""
    import torch

    kind = handler_class(spec)

    class Precomputed(kind):  # type: ignore[misc, valid-type]
        def preprocess(self, data: list[Any]) -> list[Any]:
            return data

        def inference(self, data: list[Any], *_: Any, **__: Any) -> dict[str, torch.Tensor]:
            return {"out": outputs[data[0]["data"]]}

    outputs = [torch.stack([torch.from_numpy(row) for row in batch]) for batch in spec.batches]
    handler, context = start_handler(spec, Precomputed)
    rows = [[{"data": number}] * len(batch) for number, batch in enumerate(spec.batches)]
    return lambda number: encoded(handler.handle(rows[number], context))


TASKS: dict[str, Callable[[Spec], Answer]] = {
    "preprocess": preprocess,
    "inference": inference,
    "handle": handle,
    "handle_one_by_one": handle_one_by_one,
    "postprocess": postprocess,
}


def rows_of(spec: Spec) -> list[list[dict[str, Any]]]:
    """Batches as the server gives them to a handler."""
    return [[{"body": bytearray(row)} for row in batch] for batch in spec.batches]


def encoded(answers: list[Any]) -> list[bytes]:
    """Answers as TorchServe sends them."""
    return [
        bytes(answer) if isinstance(answer, (bytes, bytearray)) else json.dumps(answer, indent=2).encode()
        for answer in answers
    ]


# Starting them -----------------------------------------------------------------------------------------------


def handler_class(spec: Spec) -> Any:
    """The default handler that a manifest names, of the side that is asked for."""
    logging.disable(logging.INFO)
    if spec.side == "upstream":
        stand_in_for_captum(spec.notes)
    name = spec.manifest["handler"]
    module = importlib.import_module(f"ts.torch_handler.{name}")
    is_ours = importlib.util.find_spec("ts.handler_utils.settings") is not None
    if is_ours != (spec.side == "ours"):
        raise RuntimeError(f"{module.__file__} is not the handler of {spec.side}")
    return getattr(module, "".join(part.capitalize() for part in name.split("_")))


def start_handler(spec: Spec, kind: Any = None) -> tuple[Any, Any]:
    """An initialized handler, and the context of a batch, with torchserve's own class of contexts."""
    kind = kind or handler_class(spec)
    os.chdir(spec.folder)
    sys.path.insert(0, spec.folder)
    context = make_context(spec)
    handler = kind()
    handler.initialize(context)
    if spec.side == "upstream" and isinstance(getattr(handler, "source_vocab", None), dict):
        handler.source_vocab = AnyWord(handler.source_vocab)
    unknown = (
        getattr(getattr(handler, "settings", None), "model_extra", None) if spec.side == "ours" else None
    )
    spec.notes.extend(f"unknown setting {name}" for name in unknown or {})
    return handler, context


def make_context(spec: Spec) -> Any:
    from ts.context import Context, RequestProcessor

    gpu = 0 if spec.device == "cuda" else None
    rows = max(len(batch) for batch in spec.batches)
    metrics = SimpleNamespace(add_time=lambda *_, **__: None, add_metric=lambda *_, **__: None)
    manifest = {"model": spec.manifest}
    context = Context("benchmark", spec.folder, manifest, rows, gpu, "0.12.0", True, metrics, spec.config)
    context.request_ids = {index: f"request-{index}" for index in range(rows)}
    context._request_processor = [RequestProcessor({}) for _ in range(rows)]
    return context


class AnyWord(dict[str, int]):
    """A vocabulary that has an index for unknown words, as torchtext's has, and a dictionary has not."""

    def __missing__(self, token: str) -> int:
        return 0


def stand_in_for_captum(notes: list[str]) -> Optional[ModuleType]:
    """torchserve's vision handlers import captum whether or not they explain; an empty module lets them start."""
    if importlib.util.find_spec("captum"):
        return None
    attr = ModuleType("captum.attr")
    for name in ("IntegratedGradients", "LayerIntegratedGradients"):
        setattr(attr, name, lambda *_, **__: None)
    package = ModuleType("captum")
    package.attr = attr  # type: ignore[attr-defined]
    sys.modules.update({"captum": package, "captum.attr": attr})
    notes.append(
        "captum is missing: torchserve starts with an empty module in its place, faster than it would"
    )
    return package
