"""Facts about torch, as JSON: what the doctor has a process of its own find out, since torch's import may fail."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import re
from typing import Any, Callable, Optional


def facts() -> dict[str, Any]:
    """Versions, whether torch and torchvision fit each other, devices, and the JPEG decoders that work.

    Returns:
        `torch`, `torchvision`: their versions;
        `problem`: why the two do not fit, or null;
        `devices`: in words;
        `decoders`: for each name why it does not work, or null.
    """
    import torch

    torchvision = importlib.metadata.version("torchvision")
    return {
        "torch": torch.__version__,
        "torchvision": torchvision,
        "problem": misfit(torch.__version__),
        "devices": devices(torch),
        "decoders": decoders(torch),
    }


def misfit(torch_version: str) -> Optional[str]:
    """Why torchvision does not fit torch, or None."""
    for requirement in importlib.metadata.requires("torchvision") or ():
        match = re.match(r"torch\s*\(?==\s*([\d.]+)", requirement)
        if match and match[1] != torch_version.partition("+")[0]:
            return f"torchvision is made for torch {match[1]}"
    return failure(importlib.import_module, "torchvision.ops")


def devices(torch: Any) -> list[str]:
    found = [f"cpu, {torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        found += [f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def decoders(torch: Any) -> dict[str, Optional[str]]:
    from ts.handler_utils.images.jpeg.decoders import cpu_decoder, gpu_decoder

    found = {name: failure(cpu_decoder, name) for name in ("torchvision", "torchcodec", "pillow")}
    if torch.cuda.is_available():
        found["nvjpeg"] = failure(gpu_decoder, "cuda")
    return found


def failure(attempt: Callable[[str], Any], argument: str) -> Optional[str]:
    """Why a call fails, or None."""
    try:
        attempt(argument)
    except Exception as error:  # whatever a package that was built for another machine raises
        return str(error)
    return None


if __name__ == "__main__":
    print(json.dumps(facts()))  # noqa: T201
