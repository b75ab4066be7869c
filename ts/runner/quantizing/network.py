"""Quantizes a network for OpenVINO, by nncf."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ts.handler_utils.models.openvino.library import core, import_openvino, without_telemetry
from ts.runner.errors import ArchiveError
from ts.runner.exporting.conversion import operations, save
from ts.runner.exporting.silence import quiet
from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.stored import Stored

FLOAT = (
    "ends",
    "depthwise",
)  # layers that may be left in float32: the first and the last; those of one channel each
DEPTHWISE = "GroupConvolution"
LAYERS = ("Convolution", DEPTHWISE, "MatMul")
# All that have weights which are multiplied; an embedding's are looked up.
QUANTIZED = (
    *LAYERS,
    "ConvolutionBackpropData",
    "GroupConvolutionBackpropData",
    "LSTMSequence",
    "GRUSequence",
)


def import_nncf() -> Any:
    """nncf, without the messages that it sends to its maker.

    Raises:
        ArchiveError: it or OpenVINO is not installed.
    """
    try:
        import_openvino()
        with without_telemetry(), quiet():
            import nncf
    except ImportError as error:
        raise ArchiveError(
            "quantize needs nncf and OpenVINO: pip install 'torchserve-handlers[quantize]'"
        ) from error
    logging.getLogger("nncf").setLevel(logging.ERROR)  # of its logger alone, and of no handler
    return nncf


def write_quantized(source: Path, target: Path, calls: Stored, plan: Plan) -> None:
    """Writes a network whose layers compute in int8 where that is faster.

    Args:
        source: the network in float32.
        target: the new one.
        calls: the inputs of calls, by which the ranges of numbers inside are found.
        plan: how.

    Raises:
        ArchiveError: nncf cannot quantize it.
    """
    nncf = import_nncf()
    model = core().read_model(source)
    data = nncf.Dataset(calls)
    attends = is_transformer(model)
    try:
        with quiet():
            found = nncf.quantize(
                model,
                data,
                preset=nncf.QuantizationPreset(plan.preset) if plan.preset else None,
                subset_size=len(calls),
                model_type=nncf.ModelType.TRANSFORMER if attends else None,
                fast_bias_correction=plan.bias == "fast",
                ignored_scope=ignored_scope(model, plan.left_float),
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=overflow_fix()),
            )
    except Exception as error:  # its own have no base
        raise ArchiveError(f"nncf cannot quantize the network: {str(error)[:400]}") from error
    save(found, target)


def check_layers(path: Path) -> None:
    """Refuses a network in float32 of which nothing would compute in int8."""
    if not any(operation.get_type_name() in QUANTIZED for operation in operations(core().read_model(path))):
        raise ArchiveError(
            "the network has no layer that would compute in int8: no convolution, and no product with a matrix"
        )


def ignored_scope(model: Any, left_float: Sequence[str]) -> Any:
    """nncf's name for layers that stay in float32."""
    from nncf import IgnoredScope

    layers = [item for item in model.get_ordered_ops() if item.get_type_name() in LAYERS]
    ends = [layers[0], layers[-1]] if layers and "ends" in left_float else []
    depthwise = [item for item in layers if item.get_type_name() == DEPTHWISE and "depthwise" in left_float]
    return IgnoredScope(names=list(dict.fromkeys(item.get_friendly_name() for item in [*ends, *depthwise])))


def overflow_fix() -> Any:
    """Weights of 7 bits, whose products fit into the 16 bits in which CPUs without VNNI add two of them.

    So answers are the same on each CPU, and those that were judged.
    """
    from nncf.quantization.advanced_parameters import OverflowFix

    return OverflowFix.ENABLE


def is_transformer(model: Any) -> bool:
    """Whether a network has attention: softmax of a product, which is multiplied again."""
    for operation in model.get_ops():
        kind = operation.get_type_name()
        if kind == "ScaledDotProductAttention":
            return True
        if kind == "Softmax":
            after = (
                target.get_node() for output in operation.outputs() for target in output.get_target_inputs()
            )
            if any(node.get_type_name() == "MatMul" for node in after):
                return True
    return False


def as_array(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().float() if tensor.dtype == torch.bfloat16 else tensor.detach())
