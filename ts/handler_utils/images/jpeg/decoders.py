"""Decoders of JPEG that make tensors. On CPUs all use libjpeg-turbo, as Pillow does, and give the same pixels."""

from __future__ import annotations

import importlib
import importlib.util
import io
import warnings
from functools import cache, partial
from pathlib import Path
from typing import Any, Callable, NamedTuple

import torch
from PIL import Image

MODES = {3: "RGB", 1: "GRAY"}
_TORCHVISION_MODES = {"GRAY": 1, "RGB": 3}  # of its `ImageReadMode`
_FAILURES = (ImportError, AttributeError, TypeError, RuntimeError, OSError)


class JpegDecoder(NamedTuple):
    """A decoder of JPEG.

    Attributes:
        decode: called with a file, uint8 [bytes], or a list of files, and `mode`, "RGB" or "GRAY"; returns uint8
            [C, H, W], or a list of such. Raises RuntimeError for a file that is damaged.
        turns: whether it turns images upright, as their EXIF orientation says, unasked.
    """

    decode: Callable[..., Any]
    turns: bool


@cache
def cpu_decoder(name: str) -> JpegDecoder | None:
    """The decoder that the setting `decoder` names, for the CPU.

    Args:
        name: torchvision; torchcodec (0.16 or newer); pillow; or auto, for the first of these that works here.

    Returns:
        None for Pillow, which makes no tensors.

    Raises:
        ValueError: that decoder does not work here; the message says why.
    """
    if name == "pillow":
        return None
    problems = []
    for candidate in _ON_CPU if name == "auto" else (name,):
        try:
            decoder = _ON_CPU[candidate]()
            decoder.decode(_smallest_jpeg(), mode="RGB")
        except _FAILURES as error:
            problems.append(f"{candidate} does not decode JPEG here: {error}")
        else:
            return decoder
    if name == "auto":
        return None
    raise ValueError(f"model-config.yaml: handler.decoder: {problems[0]}")


def gpu_decoder(device: Any) -> JpegDecoder:
    """nvJPEG, by torchvision or torchcodec: decodes a list of files to tensors on a CUDA device.

    Raises:
        ValueError: it is no CUDA device, or neither package decodes on it.
    """
    if device is None or torch.device(device).type != "cuda":
        raise ValueError(
            "model-config.yaml: handler.decoder: nvjpeg needs a GPU, and the model is on the CPU"
        )
    problems = []
    for load in (_torchvision_on_gpu, _torchcodec):
        try:
            decode, turns = load()
            decode([_smallest_jpeg()], mode="RGB", device=device)
        except _FAILURES as error:
            problems.append(str(error))
        else:
            return JpegDecoder(partial(decode, device=device), turns)
    raise ValueError(f"model-config.yaml: handler.decoder: nvjpeg does not work here: {'; '.join(problems)}")


def _torchvision() -> JpegDecoder:
    """The operator alone: torchvision takes as long to import as torch, and its function warns at each call."""
    found = importlib.util.find_spec("torchvision")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for library in (*Path(folder).glob("image*.so"), *Path(folder).glob("image*.pyd")):
            torch.ops.load_library(str(library))
    operator = torch.ops.image.decode_jpeg
    return JpegDecoder(lambda file, mode: operator(file, _TORCHVISION_MODES[mode], False), turns=False)


def _torchvision_on_gpu() -> JpegDecoder:
    from torchvision.io import ImageReadMode, decode_jpeg

    warnings.filterwarnings("ignore", "The image decoding and encoding capabilities", DeprecationWarning)
    return JpegDecoder(
        lambda files, mode, device: decode_jpeg(files, mode=ImageReadMode[mode], device=device), turns=False
    )


def _torchcodec() -> JpegDecoder:
    try:
        return JpegDecoder(importlib.import_module("torchcodec.decoders").decode_jpeg, turns=True)
    except _FAILURES as error:  # one for a newer torch fails in many ways
        hint = "pip install 'torchserve-handlers[codec]' (torch 2.11 or newer)"
        raise ImportError(f"it is not installed, or not for this torch: {hint}") from error


_ON_CPU = {"torchvision": _torchvision, "torchcodec": _torchcodec}


def _smallest_jpeg() -> torch.Tensor:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
