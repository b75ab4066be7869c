"""The weights of a saved model folder, in one file or in several that an index names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ts.handler_utils.models.formats.weights import read_weights
from ts.handler_utils.models.huggingface.heads import read_object

# As `save_pretrained` names them; safetensors first, whose files are no programs.
FILES = ("model.safetensors", "pytorch_model.bin")
_INDEX = ".index.json"


def read_folder(folder: Path, *, trust_pickle: bool = False) -> dict[str, Any]:
    """The tensors of a saved model by name, on the CPU.

    Args:
        folder: where its files lie.
        trust_pickle: see `read_weights`.

    Raises:
        ValueError: there are no weights, or files that hold something else.
        FileNotFoundError: a file that the index names is missing.
    """
    for name in FILES:
        if (folder / name).is_file():
            return read_file(folder / name, trust_pickle=trust_pickle)
        if (folder / (name + _INDEX)).is_file():
            return _read_parts(folder, name + _INDEX, trust_pickle)
    names = ", ".join(name + ending for name in FILES for ending in ("", _INDEX))
    raise ValueError(f"The saved model has no weights: its folder holds none of {names}")


def read_file(path: Path, *, trust_pickle: bool = False) -> dict[str, Any]:
    """The tensors of one file; see `read_weights`.

    Raises:
        ValueError: the file holds something else.
    """
    weights = read_weights(path, "cpu", trust_pickle=trust_pickle)
    if not isinstance(weights, dict):
        raise ValueError(f"{path.name} holds a whole model: save its weights, by save_pretrained")
    return weights


def _read_parts(folder: Path, index: str, trust_pickle: bool) -> dict[str, Any]:
    parts = read_object(folder / index).get("weight_map")
    names = parts.values() if isinstance(parts, dict) else [None]
    weights: dict[str, Any] = {}
    for name in dict.fromkeys(name if isinstance(name, str) else "" for name in names):
        if name != Path(name).name or not name:
            raise ValueError(f"{index} names {name!r}, which is no file of the folder")
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{index} names {name}, and the archive has no such file")
        weights.update(read_file(folder / name, trust_pickle=trust_pickle))
    return weights
