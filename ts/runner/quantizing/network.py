"""Quantizes a network for OpenVINO, by nncf."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ts.handler_utils.models.openvino.library import core, import_openvino, without_telemetry
from ts.runner.errors import ArchiveError
from ts.runner.exporting.conversion import save
from ts.runner.exporting.silence import quiet
from ts.runner.quantizing.layers import check_layers, chosen_layers, coarse_layers, name_of
from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.stored import Stored


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


def write_quantized(source: Path, target: Path, calls: Stored, plan: Plan) -> int:
    """Writes a network whose layers compute in int8 where that is faster.

    Args:
        source: the network in float32.
        target: the new one.
        calls: the inputs of calls, by which the ranges of numbers inside are found.
        plan: how.

    Returns:
        How many layers stay in float32, since int8 would round their weights too far.

    Raises:
        ArchiveError: nncf cannot quantize it, or nothing of it would compute in int8.
    """
    nncf = import_nncf()
    model = core().read_model(source)
    coarse = coarse_layers(model)
    in_float = [*chosen_layers(model, plan.left_float), *coarse]
    check_layers(model, in_float)
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
                ignored_scope=nncf.IgnoredScope(names=list(dict.fromkeys(map(name_of, in_float)))),
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=overflow_fix()),
            )
    except Exception as error:  # its own have no base
        raise ArchiveError(f"nncf cannot quantize the network: {str(error)[:400]}") from error
    save(found, target)
    return len(coarse)


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
