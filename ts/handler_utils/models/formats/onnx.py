"""ONNX models, run by onnxruntime."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel
from ts.handler_utils.models.formats.content import wrong_content
from ts.handler_utils.models.formats.registry import reads

logger = logging.getLogger(__name__)

Input = TypeVar("Input")

# What onnxruntime calls the types of inputs, where numpy has them under another name.
_DTYPES = {"float": "float32", "double": "float64"}


@reads(".onnx")
def load_onnx(path: str | Path, device: Any) -> Any:
    """Opens an ONNX model, to be called like a module; of a fixed batch size too, with batches of any size.

    Raises:
        ImportError: onnxruntime is not installed.
        ValueError: the file is no ONNX model, or one that this onnxruntime cannot run.
    """
    session = setup_ort_session(path, str(device))
    model = OnnxModel(session, path)
    limits = batch_limits(session)
    return model if limits == BatchLimits() else ChunkedModel(model, limits)


def setup_ort_session(model_pt_path: str | Path, map_location: str | None) -> Any:
    """An onnxruntime session for an ONNX file.

    Args:
        model_pt_path: the file.
        map_location: "cuda" or "cuda:N" for CUDA, if this onnxruntime has it; all else is the CPU.

    Raises:
        ImportError: onnxruntime is not installed.
        ValueError: onnxruntime cannot read the file.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            f"{Path(model_pt_path).name} is an ONNX model, which needs onnxruntime:"
            " pip install 'torchserve-handlers[onnx]', or onnxruntime-gpu for CUDA"
        ) from error
    available = onnxruntime.get_available_providers()
    try:
        return onnxruntime.InferenceSession(str(model_pt_path), providers=_providers(map_location, available))
    except Exception as error:  # onnxruntime's errors have no base of their own
        advice = "Export the model again, for the version of onnxruntime that is installed."
        raise wrong_content(model_pt_path, "a model that onnxruntime can run", advice, error) from error


def _providers(map_location: str | None, available: list[str]) -> list[Any]:
    device = torch.device(map_location or "cpu")
    if device.type != "cuda":
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in available:
        logger.warning("This onnxruntime runs on the CPU only; onnxruntime-gpu runs ONNX models on CUDA")
        return ["CPUExecutionProvider"]
    return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]


def batch_limits(session: Any) -> BatchLimits:
    """The sizes of batches that a model takes: its inputs' first dimensions, numbers if they are fixed."""
    sizes = {item.shape[0] if item.shape else None for item in session.get_inputs()}
    size = sizes.pop() if len(sizes) == 1 else None
    return BatchLimits.fixed(size) if isinstance(size, int) and size > 0 else BatchLimits()


class OnnxModel:
    """Calls an ONNX model like a module: with tensors, for tensors. All else is the session's.

    Args:
        session: an `onnxruntime.InferenceSession`.
        path: of the file that it was made of.
    """

    def __init__(self, session: Any, path: str | Path | None = None) -> None:
        self.session = session
        self.path = path

    def __call__(self, *inputs: torch.Tensor, **named_inputs: torch.Tensor) -> Any:
        """Runs the model on its inputs, in their order or by their names, converted to the types that it declares.

        Returns:
            The output, on the device of the first input; a list of them where the model has several.

        Raises:
            ValueError: there are too few or too many inputs, or of other names; the message names the model's.
        """
        declared = {item.name: item.type for item in self.session.get_inputs()}
        given = ordered(list(declared), inputs, named_inputs)
        arrays = {name: _array(item, kind) for (name, kind), item in zip(declared.items(), given)}
        device = given[0].device if given else torch.device("cpu")
        outputs = [torch.from_numpy(array).to(device) for array in self.session.run(None, arrays)]
        return outputs[0] if len(outputs) == 1 else outputs

    def __getattr__(self, name: str) -> Any:
        if name == "session":  # while it is copied or unpickled, there is none yet
            raise AttributeError(name)
        return getattr(self.session, name)


def ordered(names: Sequence[str], inputs: Sequence[Input], named_inputs: Mapping[str, Input]) -> list[Input]:
    """The inputs of a call, in the order of a model's names for them.

    Raises:
        ValueError: there are too few or too many, or of other names.
    """
    given = {**dict(zip(names, inputs)), **named_inputs}
    if len(inputs) + len(named_inputs) != len(names) or set(given) != set(names):
        raise ValueError(
            f"The ONNX model takes {len(names)} inputs ({', '.join(names)}), but got {len(inputs)}"
            + (f" and those named {', '.join(named_inputs)}" if named_inputs else "")
        )
    return [given[name] for name in names]


def _array(tensor: torch.Tensor, declared: str) -> Any:
    """A tensor as the array that an input of a type such as "tensor(float16)" takes."""
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()  # numpy has no such type
    name = declared[len("tensor(") : -1]
    name = _DTYPES.get(name, name)
    known = getattr(np, name, None)
    return tensor.numpy() if known is None else tensor.numpy().astype(known, copy=False)
