"""Which layers of a network compute in int8, and which stay in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np

from ts.runner.errors import ArchiveError
from ts.runner.exporting.conversion import operations

ENDS, DEPTHWISE = "ends", "depthwise"
FLOAT = (ENDS, DEPTHWISE)  # what may be chosen: the first layer and the last; those of one channel each

CONVOLUTION, GROUPS, PRODUCT = "Convolution", "GroupConvolution", "MatMul"
LAYERS = (CONVOLUTION, GROUPS, PRODUCT)
# All that have weights which are multiplied; an embedding's are looked up.
QUANTIZED = (
    *LAYERS,
    "ConvolutionBackpropData",
    "GroupConvolutionBackpropData",
    "LSTMSequence",
    "GRUSequence",
)
LEVELS = 63  # from 0 to the largest weight of a channel: of the 7 bits of `overflow_fix`
COARSE = 0.1  # of the sum of a layer's weights what rounding may change; 0.02 is usual


def layers_of(model: Any) -> list[Any]:
    """The layers of an `openvino.Model`, in their order."""
    return [item for item in model.get_ordered_ops() if item.get_type_name() in LAYERS]


def name_of(layer: Any) -> str:
    return str(layer.get_friendly_name())


def check_layers(model: Any, in_float: Sequence[Any] = ()) -> None:
    """Refuses a network of which nothing would compute in int8.

    Args:
        model: in float32.
        in_float: layers that stay so.
    """
    kept = set(map(name_of, in_float))
    found = [name_of(item) for item in operations(model) if item.get_type_name() in QUANTIZED]
    if not found:
        raise ArchiveError(
            "the network has no layer that would compute in int8: no convolution, and no product with a matrix"
        )
    if kept.issuperset(found):
        raise ArchiveError(
            f"nothing of the network would compute in int8: its {len(found)} layers stay in float32, by --float or"
            " since int8 would round their weights too far"
        )


def chosen_layers(model: Any, kinds: Sequence[str]) -> list[Any]:
    """The layers of some kinds, each of `FLOAT`."""
    layers = layers_of(model)
    ends = [layers[0], layers[-1]] if layers and ENDS in kinds else []
    return ends + [item for item in layers if item.get_type_name() == GROUPS and DEPTHWISE in kinds]


def coarse_layers(model: Any) -> list[Any]:
    """The layers whose weights int8 would round so far that little is left of most of them.

    A few weights of a channel that are hundreds of times the others make its steps as large as those.
    """
    return [layer for layer in layers_of(model) if lost(layer) > COARSE]


def lost(layer: Any) -> float:
    """What rounding changes of a layer's weights: the sum of the changes, as a part of the sum of the weights."""
    channels = weights_of(layer)
    if channels is None:
        return 0.0
    steps = np.abs(channels).max(axis=1, keepdims=True) / LEVELS
    steps[steps == 0] = 1
    changes = np.abs(channels - np.round(channels / steps) * steps)
    return float(changes.sum() / max(np.abs(channels).sum(), 1e-20))


def weights_of(layer: Any) -> Optional[np.ndarray]:
    """The weights of a layer [channels of its output, all others]; None where they are no constant."""
    node = layer.input_value(1).get_node()
    while node.get_type_name() in ("Convert", "Reshape"):
        node = node.input_value(0).get_node()
    if node.get_type_name() != "Constant":
        return None
    weights = np.asarray(node.data, np.float32)
    kind = layer.get_type_name()
    if kind == PRODUCT:
        if weights.ndim < 2:
            return weights.reshape(1, -1)
        weights = weights if layer.get_transpose_b() else np.swapaxes(weights, -1, -2)
        return weights.reshape(-1, weights.shape[-1])
    channels = weights.shape[:2] if kind == GROUPS else weights.shape[:1]
    return weights.reshape(int(np.prod(channels)), -1)
