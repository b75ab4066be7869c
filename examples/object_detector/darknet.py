"""Reads darknet's binary weights into a torch state dict."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


def read_state_dict(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The state dict of a model with the weights of a darknet file.

    The format (darknet's parser.c, https://github.com/pjreddie/darknet): three int32, the version's major, minor
    and revision; the number of images seen in training, 64 bits since version 0.2 and 32 before; then float32
    values, for each convolution its biases, with batch normalization also scales, means and variances, then its
    weights.

    Args:
        path: the file.
        model: has its convolutions in the order of the network's .cfg file, and each batch normalization behind
            its convolution.

    Raises:
        ValueError: the file holds more or fewer values than the model.
    """
    data = path.read_bytes()
    major, minor, _ = struct.unpack_from("<3i", data)
    header = 12 + (8 if major * 10 + minor >= 2 else 4)
    values = torch.from_numpy(np.frombuffer(data, dtype="<f4", offset=header).astype(np.float32))
    state = model.state_dict()
    names = _names_in_file_order(model)
    sizes = [state[name].numel() for name in names]
    if sum(sizes) != len(values):
        raise ValueError(f"{path.name} holds {len(values)} values, and the model {sum(sizes)}")
    state.update({name: piece.reshape(state[name].shape) for name, piece in zip(names, values.split(sizes))})
    return state


def _names_in_file_order(model: nn.Module) -> list[str]:
    names: list[str] = []
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            names += [f"{name}.{value}" for value in ("bias", "weight") if getattr(layer, value) is not None]
        elif isinstance(layer, nn.BatchNorm2d):
            weights = names.pop()  # of its convolution: the file has them last
            names += [f"{name}.{value}" for value in ("bias", "weight", "running_mean", "running_var")]
            names.append(weights)
    return names
