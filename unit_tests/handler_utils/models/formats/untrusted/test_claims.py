"""Tensors that claim more than their file has, in each format that torch reads by a pickle."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from planted import rewrite

from ts.handler_utils.models.formats.torchscript import load_torchscript
from ts.handler_utils.models.formats.weights import read_weights


class Weighted(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(4.0))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch * self.weight


def save_checkpoint(path: Path) -> None:
    torch.save(Weighted().state_dict(), path)


def save_script(path: Path) -> None:
    torch.jit.script(Weighted()).save(str(path))


FORMATS: dict[str, tuple[Callable[[Path], None], Callable[[Path, str], Any]]] = {
    "torch.save": (save_checkpoint, read_weights),
    "TorchScript": (save_script, load_torchscript),
}

# The number of elements of the storage stands before the size of the tensor, both as BININT1 4.
FOUR, MILLION = b"K\x04", b"J" + struct.pack("<i", 1_000_000)
CLAIMS = {
    "of its storage": (0, "a tensor of 1000000 elements in .*/data/0, which has 16 bytes"),
    "of its size": (1, r"a tensor of the sizes \[1000000\] in a storage of 4 elements"),
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_tensor_larger_than_its_file_is_refused(form: str, claim: str, tmp_path: Path) -> None:
    save, load = FORMATS[form]
    path = tmp_path / "weights.pt"
    save(path)
    place, message = CLAIMS[claim]

    def change(pickled: bytes) -> bytes:
        parts = pickled.split(FOUR)
        assert len(parts) == 3
        return parts[0] + (MILLION + parts[1] + FOUR if place == 0 else FOUR + parts[1] + MILLION) + parts[2]

    rewrite(path, {"/data.pkl": change})
    with pytest.raises(ValueError, match=rf"^weights\.pt is not read: it holds {message}"):
        load(path, "cpu")


@pytest.mark.parametrize("form", FORMATS)
def test_what_torch_wrote_is_let_through(form: str, tmp_path: Path) -> None:
    save, load = FORMATS[form]
    save(tmp_path / "weights.pt")
    loaded = load(tmp_path / "weights.pt", "cpu")
    state = loaded if form == "torch.save" else loaded.state_dict()
    assert state["weight"].tolist() == [0.0, 1.0, 2.0, 3.0]


def test_tensors_of_each_type_and_form_are_let_through(tmp_path: Path) -> None:
    base = torch.arange(12).reshape(3, 4)
    types = [
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.uint8,
        torch.int8,
        torch.bool,
        torch.complex64,
    ]
    state = {str(dtype): base.to(dtype) for dtype in types}
    state.update(
        turned=base.t(), part=base[1:, ::2], empty=torch.zeros(0, 3), expanded=torch.ones(1).expand(5)
    )
    state.update(scalar=torch.tensor(3))
    torch.save(state, tmp_path / "weights.pt")
    loaded = read_weights(tmp_path / "weights.pt", "cpu")
    assert {name: value.shape for name, value in loaded.items()} == {k: v.shape for k, v in state.items()}
    assert loaded["part"].tolist() == [[4, 6], [8, 10]]
