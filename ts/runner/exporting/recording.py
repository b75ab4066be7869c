"""What a handler calls its model with, and what its inference returns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Optional

import torch

from ts.handler_utils.models.formats.batches import ChunkedModel, run_in_chunks
from ts.handler_utils.models.openvino.signature import Signature, taken_apart
from ts.runner.errors import ArchiveError


@dataclass(frozen=True)
class Call:
    """One call of a model.

    Attributes:
        inputs: the positional arguments.
        named_inputs: the others.
    """

    inputs: tuple[Any, ...]
    named_inputs: dict[str, Any]


def check_one_form(calls: Sequence[Call]) -> None:
    """Refuses calls in several forms, such as those of a model of texts and of images.

    Raises:
        ArchiveError: with what to do.
    """
    forms = {str(signature and signature.name) for signature in map(signature_of, calls)}
    if len(forms) > 1:
        raise ArchiveError(
            f"the handler calls its model in {len(forms)} forms, and one can be converted: give inputs of one"
            " kind, such as images alone or texts alone"
        )


def signature_of(call: Call) -> Optional[Signature]:
    return taken_apart(call.inputs, call.named_inputs)[0]


def first_chunk(call: Call, model: Any) -> Call:
    """The call of the network inside of a model that takes batches of certain sizes only; of another the call."""
    if not isinstance(model, ChunkedModel):
        return call
    chunks: list[Call] = []

    def record(*inputs: Any, **named_inputs: Any) -> Any:
        chunks.append(Call(inputs, named_inputs))
        raise _Recorded

    with suppress(_Recorded):
        run_in_chunks(record, model.limits, call.inputs, call.named_inputs)
    return chunks[0]


class _Recorded(Exception):
    """The first call is known."""


class Recorder:
    """Stands for a model, and records its calls. All else is the model's."""

    def __init__(self, model: Any, calls: list[Call]) -> None:
        self._model = model
        self._calls = calls

    def __call__(self, *inputs: Any, **named_inputs: Any) -> Any:
        self._calls.append(Call(inputs, named_inputs))
        return self._model(*inputs, **named_inputs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


@contextmanager
def recorded_calls(handler: Any) -> Iterator[list[Call]]:
    """Records what a handler calls its model with, inside a `with` block."""
    calls: list[Call] = []
    model = handler.model
    # What is no module has no hooks, and TorchScript runs none once it is frozen.
    if isinstance(model, torch.jit.ScriptModule) or not isinstance(model, torch.nn.Module):
        handler.model = Recorder(model, calls)
        try:
            yield calls
        finally:
            handler.model = model
        return
    hook = model.register_forward_pre_hook(
        lambda _, inputs, named_inputs: calls.append(Call(inputs, dict(named_inputs))), with_kwargs=True
    )
    try:
        yield calls
    finally:
        hook.remove()


@contextmanager
def recorded_outputs(handler: Any) -> Iterator[list[Any]]:
    """Records what a handler's `inference` returns, inside a `with` block."""
    outputs: list[Any] = []
    inference = handler.inference

    def record(*arguments: Any, **named_arguments: Any) -> Any:
        outputs.append(inference(*arguments, **named_arguments))
        return outputs[-1]

    handler.inference = record
    try:
        yield outputs
    finally:
        del handler.inference
