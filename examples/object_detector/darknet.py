"""Reads darknet's binary weights into a torch state dict."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

# Darknet keeps its layers in the order of the .cfg file; so does a walk over these parts of YOLOv3Tiny.
PARTS = ("fine_trunk", "coarse_trunk", "coarse_head", "upsampling", "fine_head")


def read_state_dict(path: Path, model: nn.Module) -> dict[str, Tensor]:
    """The state dict of a YOLOv3Tiny with the weights of a darknet file.

    The format (darknet's parser.c, https://github.com/pjreddie/darknet): three int32, the version's major, minor and
    revision; the number of images seen in training, 64 bits since version 0.2 and 32 before; then float32 values, for
    each convolution its biases, with batch normalization also scales, means and variances, then its weights.

    Raises:
        ValueError: the file holds more or fewer values than the model has.
    """
    data = path.read_bytes()
    major, minor, _ = struct.unpack_from("<3i", data)
    start = 12 + (8 if major * 10 + minor >= 2 else 4)
    values = torch.from_numpy(np.frombuffer(data, dtype="<f4", offset=start).astype(np.float32))
    tensors = _in_file_order(model)
    if sum(tensor.numel() for tensor in tensors) != len(values):
        expected = sum(tensor.numel() for tensor in tensors)
        raise ValueError(f"{path.name} holds {len(values)} values, where the model has {expected}")
    pieces = values.split([tensor.numel() for tensor in tensors])
    names = {id(tensor): name for name, tensor in model.state_dict(keep_vars=True).items()}
    read = {names[id(tensor)]: piece.reshape(tensor.shape) for tensor, piece in zip(tensors, pieces)}
    return {name: read.get(name, tensor) for name, tensor in model.state_dict().items()}


def _in_file_order(model: nn.Module) -> list[Tensor]:
    layers = [
        layer
        for part in PARTS
        for layer in getattr(model, part).modules()
        if isinstance(layer, (nn.Conv2d, nn.BatchNorm2d))
    ]
    tensors: list[Tensor] = []
    for layer, following in zip(layers, [*layers[1:], None]):
        if isinstance(layer, nn.BatchNorm2d):
            continue
        if isinstance(following, nn.BatchNorm2d):
            tensors += [following.bias, following.weight, following.running_mean, following.running_var]
        else:
            tensors.append(layer.bias)
        tensors.append(layer.weight)
    return tensors
