"""safetensors and ONNX: what they claim, or name beside themselves, is refused, in bounded memory."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from other_process import run

from ts.handler_utils.models.formats.onnx import load_onnx
from ts.handler_utils.models.formats.weights import read_weights


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start: int, end: int, shape: list[int]) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}


SAFETENSORS = {
    "a header of 2**40 bytes": safetensors({}, length=2**40),
    "a tensor of terabytes": safetensors({"w": tensor(0, 4 * 10**12, [10**12])}, bytes(8)),
    "a tensor larger than its bytes": safetensors({"w": tensor(0, 8, [1000])}, bytes(8)),
    "tensors on each other": safetensors({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, bytes(12)),
    "bytes of no tensor": safetensors({"a": tensor(0, 8, [2])}, bytes(12)),
    "an overflow": safetensors({"w": tensor(0, 8, [2**33, 2**33])}, bytes(8)),
    "an end before its start": safetensors({"w": tensor(8, 0, [2])}, bytes(8)),
    "deep JSON": safetensors(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "no JSON": safetensors(b"{nothing}"),
}
READ = """
import resource
from pathlib import Path
from ts.handler_utils.models.formats.weights import read_weights
resource.setrlimit(resource.RLIMIT_AS, (8_000_000_000, 8_000_000_000))
outcomes = {}
for name, content in arguments.items():
    Path("weights.safetensors").write_bytes(content.encode("latin-1"))
    try:
        outcomes[name] = str(read_weights("weights.safetensors", "cpu"))
    except ValueError as error:
        outcomes[name] = str(error)[:30]
answer(outcomes)
"""


def test_safetensors_that_claim_more_than_they_have_are_refused(tmp_path: Path) -> None:
    arguments = {name: content.decode("latin-1") for name, content in SAFETENSORS.items()}
    outcomes = run(READ, arguments, tmp_path)
    assert outcomes == dict.fromkeys(SAFETENSORS, "weights.safetensors is not a state dict"[:30])


def test_safetensors_hold_no_pickles(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(
        safetensors({"w": tensor(0, 8, [2])}, struct.pack("<2f", 1.0, 2.0))
    )
    assert read_weights(tmp_path / "w.safetensors", "cpu")["w"].tolist() == [1.0, 2.0]


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_adding(initializer: bytes, domain: bytes = b"") -> bytes:
    """A model that adds an initializer `w` to its input: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto."""
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"Add") + field(7, domain)
    shape = field(1, field(1, 1) + field(2, field(1, field(1, 2))))
    values = field(11, field(1, b"x") + field(2, shape)) + field(12, field(1, b"y") + field(2, shape))
    graph = field(1, node) + field(2, b"graph") + field(5, initializer) + values
    operators = field(8, field(2, 17)) + (field(8, field(1, domain) + field(2, 1)) if domain else b"")
    return field(1, 8) + field(7, graph) + operators


def inside(elements: int) -> bytes:
    """An initializer of two floats in the file itself, which claims to be of so many."""
    return field(1, elements) + field(2, 1) + field(8, b"w") + field(9, struct.pack("<2f", 1.0, 2.0))


def outside(location: str) -> bytes:
    """An initializer of two floats whose bytes lie in another file."""
    entry = field(1, b"location") + field(2, location.encode())
    return field(1, 2) + field(2, 1) + field(8, b"w") + field(13, entry) + field(14, 1)


def test_onnx_with_its_weights_inside_is_run(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX models need onnxruntime")
    (tmp_path / "model.onnx").write_bytes(onnx_adding(inside(2)))
    assert load_onnx(tmp_path / "model.onnx", "cpu")(torch.ones(2)).tolist() == [2.0, 3.0]


def test_onnx_reads_no_files_outside_of_its_folder(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX models need onnxruntime")
    secret = tmp_path / "secret"
    secret.write_bytes(struct.pack("<2f", 1.0, 2.0))
    folder = tmp_path / "model"
    folder.mkdir()
    for location in (str(secret), "../secret", "a/../../secret"):
        (folder / "model.onnx").write_bytes(onnx_adding(outside(location)))
        with pytest.raises(ValueError, match=r"^model\.onnx is not a model that onnxruntime can run"):
            load_onnx(folder / "model.onnx", "cpu")


@pytest.mark.parametrize(
    "content",
    [
        onnx_adding(inside(10**12)),
        onnx_adding(inside(2), b"a.library.of.its.own"),
        field(1, 8) + varint(7 << 3 | 2) + varint(2**40),
    ],
    ids=["a tensor of terabytes", "operators of a library", "a graph of 2**40 bytes"],
)
def test_onnx_that_claims_or_asks_for_more_than_it_has_is_refused(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX models need onnxruntime")
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"^model\.onnx is not a model that onnxruntime can run"):
        load_onnx(tmp_path / "model.onnx", "cpu")
