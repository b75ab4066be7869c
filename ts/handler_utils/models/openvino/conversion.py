"""Converts a torch model for OpenVINO, by tracing a call of it; and an ONNX model, by reading its file."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Optional

import torch

from ts.handler_utils.models.formats.onnx import OnnxModel, ordered
from ts.handler_utils.models.openvino.library import import_converter, import_openvino, version
from ts.handler_utils.models.openvino.signature import Output, Signature
from ts.utils.documents import one_line

_UNKNOWN = re.compile(
    r"(?:No conversion rule found for operations|does not support the following ONNX operations): ([^\n]*)"
)
_CONFINED = (2026, 2)  # the first OpenVINO that reads an ONNX file's external data in its own folder alone
_EXTERNAL = b"location"  # the key of such data's path: TensorProto.external_data, onnx.proto
_FAILED = re.compile(r"detailed log:\s*-- (\S+) with a message:\s*([^\n]*)")
# Where in its own code OpenVINO failed.
_PLACE = re.compile(
    r"(?:Exception from|Check '[^\n]*' failed at) \S+:\d+:\s*|FrontEnd API failed with \w+:\s*"
)
_LONGEST = 400  # letters of a reason


class CannotConvertError(ValueError):
    """OpenVINO cannot stand for a model; the text says why, and what to do.

    Attributes:
        reason: the why alone, where it is the model that cannot be converted; its parts may be, then.
    """

    def __init__(self, text: str, reason: Optional[str] = None) -> None:
        super().__init__(text)
        self.reason = reason


def convert(model: torch.nn.Module, signature: Signature, tensors: Sequence[torch.Tensor]) -> Any:
    """The model as an `openvino.Model`, whose inputs and outputs are the tensors of a call, of any sizes.

    Args:
        model: in evaluation, on the CPU, in float32; or an `OnnxModel`.
        signature: the form of the call.
        tensors: a call's.

    Raises:
        CannotConvertError: OpenVINO cannot convert it; the message names the operators, where those are at fault.
    """
    if isinstance(model, OnnxModel):
        return _in_order_of(convert_onnx(Path(str(model.path))), signature)
    openvino = import_converter()
    with warnings.catch_warnings(), same_log(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated, and warns of each size that it fixes
        example = tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors)
        try:
            return openvino.convert_model(_Flat(model, signature), example_input=example)
        except Exception as error:  # its own have no base
            raise refusal(model, _reason(error)) from error


def refusal(model: Any, reason: str) -> CannotConvertError:
    """The error for a model that OpenVINO cannot stand for."""
    name = Path(str(model.path)).name if isinstance(model, OnnxModel) else type(model).__name__
    return CannotConvertError(
        f"OpenVINO cannot convert {name}: {reason}; leave out handler.engine: openvino,"
        f" and {engine_of(model)} computes it",
        reason,
    )


def engine_of(model: Any) -> str:
    """What computes a model, but for OpenVINO."""
    return "onnxruntime" if isinstance(model, OnnxModel) else "torch"


def convert_onnx(path: Path) -> Any:
    """An ONNX file as an `openvino.Model`. Its external data lies in the file's folder, or it is refused.

    Raises:
        CannotConvertError: it is no ONNX file, has operators that OpenVINO does not know, or lacks data.
    """
    if version() < _CONFINED and _EXTERNAL in path.read_bytes():
        needed = ".".join(map(str, _CONFINED))
        raise CannotConvertError(
            f"OpenVINO reads ONNX models of several files, as {path.name}, from {needed} on"
        )
    frontend = (
        import_openvino().frontend.FrontEndManager().load_by_framework("onnx")
    )  # no other format's reader
    try:
        model = frontend.convert(frontend.load(str(path)))
    except Exception as error:  # its own have no base
        raise CannotConvertError(f"OpenVINO cannot read {path.name}: {_reason(error)}") from error
    if not model.outputs:
        raise CannotConvertError(f"OpenVINO cannot read {path.name}: it holds no network")
    return model


def _in_order_of(model: Any, signature: Signature) -> Any:
    """A model whose inputs have the order of the tensors of a call, which may name them."""
    parameters = model.get_parameters()
    args, kwargs = signature.arguments(range(len(signature.kinds)))
    names = [item.get_friendly_name() for item in parameters]
    places = ordered(names, args, kwargs)
    order = sorted(range(len(places)), key=places.__getitem__)
    if order == list(range(len(order))):
        return model
    return import_openvino().Model(model.get_results(), [parameters[place] for place in order])


_one_at_a_time = Lock()  # or one would keep as it is what another has changed for a while


@contextmanager
def same_log() -> Iterator[None]:
    """Leaves the log as it is, which a conversion that fails would make show errors only."""
    root = logging.getLogger()
    with _one_at_a_time:
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
    text = (
        f"it fails at {failed[1]}: {failed[2]}"
        if failed
        else one_line(RuntimeError(_PLACE.sub("", str(error))))
    )
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
