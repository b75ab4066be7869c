"""Converts a torch model for OpenVINO, by tracing a call of it."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ts.handler_utils.models.openvino.library import import_openvino
from ts.handler_utils.models.openvino.signature import Output, Signature
from ts.utils.documents import one_line

_UNKNOWN = re.compile(r"No conversion rule found for operations: ([^\n]*)")
_FAILED = re.compile(r"detailed log:\s*-- (\S+) with a message:\s*([^\n]*)")
_LONGEST = 400  # letters of a reason
ADVICE = "leave out handler.engine: openvino, and torch computes it"


class CannotConvertError(ValueError):
    """OpenVINO cannot stand for a model; the text says why, and what to do."""


def convert(model: torch.nn.Module, signature: Signature, tensors: Sequence[torch.Tensor]) -> Any:
    """The model as an `openvino.Model`, whose inputs and outputs are the tensors of a call, of any sizes.

    Args:
        model: in evaluation, on the CPU, in float32.
        signature: the form of the call.
        tensors: a call's.

    Raises:
        CannotConvertError: OpenVINO cannot convert it; the message names the operators, where those are at fault.
    """
    openvino = import_openvino()
    with warnings.catch_warnings(), _same_log(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated, and warns of each size that it fixes
        example = tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors)
        try:
            return openvino.convert_model(_Flat(model, signature), example_input=example)
        except Exception as error:  # its own have no base
            raise refusal(model, _reason(error)) from error


def refusal(model: Any, reason: str) -> CannotConvertError:
    """The error for a model that OpenVINO cannot stand for."""
    return CannotConvertError(f"OpenVINO cannot convert {type(model).__name__}: {reason}; {ADVICE}")


@contextmanager
def _same_log() -> Iterator[None]:
    """Leaves the log as it is, which a conversion that fails would make show errors only."""
    root = logging.getLogger()
    level, filters, handlers = root.level, list(root.filters), list(root.handlers)
    try:
        yield
    finally:
        root.setLevel(level)
        root.filters, root.handlers = filters, handlers


def _reason(error: Exception) -> str:
    unknown = _UNKNOWN.search(str(error))
    if unknown:
        return f"it has no rule for {unknown[1].strip().rstrip('.')}"
    failed = _FAILED.search(str(error))
    text = f"it fails at {failed[1]}: {failed[2]}" if failed else one_line(error)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


class _Flat(torch.nn.Module):
    """Calls a model with tensors in a row, and returns the tensors of its output in a row."""

    def __init__(self, model: torch.nn.Module, signature: Signature) -> None:
        super().__init__()
        self.model = model
        self._signature = signature
        self.training = False

    def train(self, mode: bool = True) -> _Flat:
        """Leaves the model as it is: those of torch.export refuse to be asked."""
        return self

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        args, kwargs = self._signature.arguments(tensors)
        return tuple(Output(self.model(*args, **kwargs)).tensors)
