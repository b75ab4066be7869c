"""ONNX models for OpenVINO, which reads them by itself."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any, Optional, Union

import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel
from ts.handler_utils.models.formats.onnx import load_onnx, ordered
from ts.handler_utils.models.openvino.conversion import convert_onnx
from ts.handler_utils.models.openvino.network import Network

logger = logging.getLogger(__name__)


def load_onnx_for_openvino(path: Union[str, Path], precision: Optional[str]) -> Any:
    """An ONNX model as onnxruntime has it, by which OpenVINO's answers are judged; or as OpenVINO has it.

    Args:
        path: the file.
        precision: what it computes in where there is no onnxruntime.

    Raises:
        ImportError: OpenVINO is not installed.
        ValueError: the file is no ONNX model, or one that cannot be run.
    """
    if importlib.util.find_spec("onnxruntime") is not None:
        return load_onnx(path, "cpu")
    logger.info(
        "OpenVINO's answers of %s are compared with nobody's: onnxruntime is not installed"
        " (pip install 'torchserve-handlers[onnx]')",
        Path(path).name,
    )
    model = convert_onnx(Path(path))
    limits = batch_limits(model)
    found = OpenVinoModel(model, precision)
    return found if limits == BatchLimits() else ChunkedModel(found, limits)


def batch_limits(model: Any) -> BatchLimits:
    """The sizes of batches that an `openvino.Model` takes: its inputs' first dimensions, numbers if fixed."""
    shapes = [item.get_partial_shape() for item in model.inputs]
    sizes = {
        shape[0].get_length() if shape.rank.is_static and len(shape) and shape[0].is_static else None
        for shape in shapes
    }
    size = sizes.pop() if len(sizes) == 1 else None
    return BatchLimits.fixed(size) if size else BatchLimits()


class OpenVinoModel:
    """Calls an `openvino.Model` of an ONNX file as `OnnxModel` does onnxruntime's.

    Args:
        model: the model.
        precision: what it computes in.
    """

    def __init__(self, model: Any, precision: Optional[str]) -> None:
        self.names = [item.get_friendly_name() for item in model.get_parameters()]
        self._network = Network(model, precision)

    def __call__(self, *inputs: torch.Tensor, **named_inputs: torch.Tensor) -> Any:
        """Runs the model; see `OnnxModel.__call__`."""
        outputs = self._network(ordered(self.names, inputs, named_inputs))
        return outputs[0] if len(outputs) == 1 else outputs
