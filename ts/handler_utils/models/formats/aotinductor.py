"""AOTInductor: models compiled ahead of time, as packages (.pt2) or libraries (.so)."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel
from ts.handler_utils.models.formats.content import AOT_PACKAGE, LIBRARY, content_of, wrong_content
from ts.handler_utils.models.formats.registry import reads
from ts.handler_utils.models.formats.untrusted.exported import check_exported

# By it a compiled model checks its inputs' shapes. Without, it reads past the end of a batch that is too small,
# and leaves rows of a larger one unanswered. Models that an older torch compiled may have no such check.
CHECK_INPUTS = "AOTI_RUNTIME_CHECK_INPUTS"

_ADVICE = "Compile the model again for this one: torch-model-runner export --to aot does so."
_FIXED = re.compile(r"unmatched dim value at 0, expected: (\d+)")
_TOO_SMALL = re.compile(r"too small at 0, expected it to be >= (\d+)")
_TOO_LARGE = re.compile(r"too large at 0, expected(?: it)? to be <= (\d+)")


@reads(".so")
def load_aot_compiled(path: str | Path, device: Any) -> Any:
    """Reads a library (.so) or package (.pt2) that AOTInductor compiled for this kind of device.

    Raises:
        ValueError: the file is something else, was compiled for another device or machine, or is a package, which
            torch reads since 2.6.
    """
    device = torch.device(device)
    library = str(path).endswith(".so")
    if content_of(path) != (LIBRARY if library else AOT_PACKAGE):
        expected = "a library" if library else "a package"
        raise wrong_content(
            path, f"{expected} that AOTInductor compiled", "Compile the model by AOTInductor."
        )
    os.environ.setdefault(CHECK_INPUTS, "1")
    try:
        model = _load_library(path, device) if library else _load_package(path, device)
    except (RuntimeError, OSError) as error:
        raise ValueError(
            f"{Path(path).name}, compiled by AOTInductor, cannot be loaded by torch {torch.__version__} on"
            f" {device}: it may be of a newer torch, or for another device. {_ADVICE}"
            f" ({' '.join(str(error).split())})"
        ) from error
    return CompiledModel(model)


def _load_library(path: str | Path, device: torch.device) -> Any:
    return torch._export.aot_load(str(path), str(device))


def _load_package(path: str | Path, device: torch.device) -> Any:
    name = Path(path).name
    load = getattr(torch._inductor, "aoti_load_package", None)
    if load is None:
        raise ValueError(
            f"{name} is an AOTInductor package, which torch reads since 2.6: this is {torch.__version__}"
        )
    check_exported(path, _ADVICE)  # torch would read a model of torch.export in it, too
    problem = machine_problem(read_target(path), device)
    if problem:
        raise ValueError(f"{name} was compiled by AOTInductor for {problem}. {_ADVICE}")
    return load(str(path), device_index=device.index) if device.index else load(str(path))


def read_target(path: str | Path) -> dict[str, str]:
    """What a package says that it was compiled for: AOTI_DEVICE_KEY, AOTI_MACHINE and others, or nothing."""
    with zipfile.ZipFile(path) as package:
        names = [name for name in package.namelist() if name.endswith("_metadata.json")]
        found = [json.loads(package.read(name)) for name in names]
        return {key: str(value) for item in found if isinstance(item, dict) for key, value in item.items()}


def machine_problem(target: dict[str, str], device: torch.device) -> str | None:
    """Says what a package was compiled for, and what is here, if they do not go together.

    Args:
        target: as `read_target` gives it.
        device: the handler's.
    """
    here = {
        "AOTI_DEVICE_KEY": ("device", device.type),
        "AOTI_PLATFORM": ("platform", sys.platform),
        "AOTI_MACHINE": ("machine", platform.machine()),
    }
    for key, (what, value) in here.items():
        if target.get(key, value) != value:
            return f"the {what} {target[key]}, and this one is {value}"
    if device.type == "cpu" and target.get("AOTI_CPU_ISA", "").startswith("AVX512"):
        capability = torch.backends.cpu.get_cpu_capability()
        if not capability.startswith("AVX512"):  # it would end the process by an illegal instruction
            return f"CPUs with {target['AOTI_CPU_ISA']}, and this one has {capability}"
    return None


class CompiledModel(ChunkedModel):
    """A compiled model, which learns what batches it takes from what it says of the first wrong one."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, BatchLimits())

    def __call__(self, *inputs: torch.Tensor, **named_inputs: torch.Tensor) -> Any:
        """Runs the model on a batch of any size; see `ChunkedModel`."""
        # What the strides of its inputs are is compiled in, too.
        dense = [_dense(item) for item in inputs]
        named = {name: _dense(item) for name, item in named_inputs.items()}
        while True:
            try:
                return super().__call__(*dense, **named)
            except RuntimeError as error:
                limits = learned_limits(str(error), self.limits)
                if limits == self.limits:
                    raise
                self.limits = limits


def _dense(item: Any) -> Any:
    return item.contiguous() if isinstance(item, torch.Tensor) else item


def learned_limits(message: str, limits: BatchLimits) -> BatchLimits:
    """The limits, with what a compiled model's error says of the size of batches."""
    if fixed := _FIXED.search(message):
        return BatchLimits.fixed(int(fixed[1]))
    if small := _TOO_SMALL.search(message):
        return BatchLimits(int(small[1]), limits.maximum)
    if large := _TOO_LARGE.search(message):
        return BatchLimits(limits.minimum, int(large[1]))
    return limits
