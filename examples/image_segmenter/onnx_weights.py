"""Reads the weights out of an ONNX file without the `onnx` package.

An ONNX file is a Protocol Buffers message (https://protobuf.dev/programming-guides/encoding/); the numbers of
the fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MODEL_GRAPH = 7
GRAPH_INITIALIZER = 5
TENSOR_DIMS, TENSOR_DATA_TYPE, TENSOR_NAME, TENSOR_RAW_DATA = 1, 2, 8, 9
FLOAT = 1
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_float_weights(path: Path) -> dict[str, np.ndarray]:
    """The float32 initializers of an ONNX model that have raw data, by name, in the order of the file.

    Raises:
        ValueError: the file is not such a message.
    """
    weights = {}
    for graph in values(memoryview(path.read_bytes()), MODEL_GRAPH):
        for tensor in values(graph, GRAPH_INITIALIZER):
            if next(values(tensor, TENSOR_DATA_TYPE), None) == FLOAT:
                name = bytes(next(values(tensor, TENSOR_NAME))).decode()
                data = np.frombuffer(next(values(tensor, TENSOR_RAW_DATA)), dtype="<f4")
                weights[name] = data.reshape(list(values(tensor, TENSOR_DIMS)))
    return weights


def values(message: memoryview, wanted: int) -> Iterator[Any]:
    """The values of one field of a message, by its number: integers, or views of bytes."""
    value: Any
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        field, wire_type = key >> 3, key & 7
        if wire_type == VARINT:
            value, position = varint(message, position)
        elif wire_type in (BYTES, FIXED64, FIXED32):
            size = {FIXED64: 8, FIXED32: 4}.get(wire_type)
            if size is None:
                size, position = varint(message, position)
            value, position = message[position : position + size], position + size
        else:
            raise ValueError(f"not an ONNX file: wire type {wire_type} at byte {position}")
        if field == wanted:
            yield value


def varint(message: memoryview, position: int) -> tuple[int, int]:
    """An integer, seven bits a byte with the lowest first, and the position behind it."""
    value = shift = 0
    while message[position] & 0x80:
        value |= (message[position] & 0x7F) << shift
        shift += 7
        position += 1
    return value | message[position] << shift, position + 1
