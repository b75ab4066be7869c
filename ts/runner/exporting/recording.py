"""What a handler calls its model with, and what its inference returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Call:
    """One call of a model.

    Attributes:
        inputs: the positional arguments.
        named_inputs: the others.
    """

    inputs: tuple[Any, ...]
    named_inputs: dict[str, Any]


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
