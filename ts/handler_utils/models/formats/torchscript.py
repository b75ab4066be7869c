"""TorchScript: what `torch.jit.save` wrote."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.models.formats.content import CHECKPOINT, TORCHSCRIPT, content_of, wrong_content
from ts.handler_utils.models.formats.registry import reads
from ts.handler_utils.models.formats.untrusted.scripts import check_script

NEEDS_CLASS = (
    "Weights alone do not tell of which network they are: pack it with its class (torch-model-archiver"
    " --model-file), or name one of torchvision's (handler.architecture in model-config.yaml)."
)
WHOLE_MODULE = (
    " If it is a whole pickled model that you trust, handler.trust_pickle: true reads it, running its code."
)


@reads(".pt", ".pth", ".bin")
def load_torchscript(path: str | Path, device: Any, *, trust_pickle: bool = False) -> torch.jit.ScriptModule:
    """Reads a model that `torch.jit.save` wrote.

    Args:
        path: the file.
        device: where the weights go.
        trust_pickle: let its code write and read files, and use any class of C++.

    Raises:
        ValueError: the file holds something else, such as a state dict, or is of a newer torch, or its code
            would touch files.
    """
    found = content_of(path)
    if found != TORCHSCRIPT:
        advice = NEEDS_CLASS + WHOLE_MODULE if found == CHECKPOINT else "Save the model by torch.jit.save."
        raise wrong_content(path, "a TorchScript file", advice)
    try:
        return _load(path, device, trust_pickle)
    except RuntimeError as error:
        raise ValueError(
            f"{Path(path).name} is a TorchScript model that torch {torch.__version__} does not load. It may be"
            " of a newer torch, or use operators of a package that is not imported:"
            f" {' '.join(str(error).split())}"
        ) from error


def _load(path: str | Path, device: Any, trust_pickle: bool) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        # Whoever serves an archive did not choose its format.
        warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated")
        try:
            return _load_checked(path, device, trust_pickle)
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
            import torchvision  # noqa: F401 (brings its operators, but takes long)

            return _load_checked(path, device, trust_pickle)


def _load_checked(path: str | Path, device: Any, trust_pickle: bool) -> torch.jit.ScriptModule:
    if not trust_pickle:
        check_script(path)
    return torch.jit.load(str(path), map_location=device).eval()
