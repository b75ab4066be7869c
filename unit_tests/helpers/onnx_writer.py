"""Writes small ONNX models without the `onnx` package.

An ONNX file is a Protocol Buffers message; the numbers of the fields are those of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Union

TYPES = {"float": 1, "int64": 7, "float16": 10, "double": 11}
Size = Union[int, str]
Value = tuple[str, Sequence[Size]]  # type and shape


def write_onnx(
    path: Path,
    operators: Sequence[tuple[str, Sequence[str], str]],
    inputs: Mapping[str, Value],
    outputs: Mapping[str, Value],
    external: Mapping[str, tuple[str, int]] = {},
) -> Path:
    """Writes a model.

    Args:
        path: the file.
        operators: for each its name, its inputs and its output: ("Add", ["a", "b"], "c").
        inputs: type and shape by name; a size that is a word is dynamic.
        outputs: as inputs.
        external: weights by name: of each the file that it lies in, and how many float32 it has.
    """
    nodes = [
        b"".join(_bytes(1, name.encode()) for name in given)
        + _bytes(2, made.encode())
        + _bytes(4, kind.encode())
        for kind, given, made in operators
    ]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, b"graph")
    graph += b"".join(_bytes(5, _weights(name, *place)) for name, place in external.items())
    graph += b"".join(_bytes(11, _value(name, *value)) for name, value in inputs.items())
    graph += b"".join(_bytes(12, _value(name, *value)) for name, value in outputs.items())
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 17)))
    return path


def _value(name: str, kind: str, shape: Sequence[Size]) -> bytes:
    dimensions = b"".join(
        _bytes(1, _number(1, size) if isinstance(size, int) else _bytes(2, size.encode())) for size in shape
    )
    tensor = _number(1, TYPES[kind]) + _bytes(2, dimensions)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _weights(name: str, file: str, count: int) -> bytes:
    entry = _bytes(1, b"location") + _bytes(2, file.encode())
    tensor = _number(1, count) + _number(2, TYPES["float"]) + _bytes(8, name.encode())
    return tensor + _bytes(13, entry) + _number(14, 1)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])
