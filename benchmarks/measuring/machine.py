"""What a benchmark ran on."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any, Optional

import torch

PACKAGES = (
    "torch",
    "torchvision",
    "pillow",
    "numpy",
    "orjson",
    "torchserve",
    "captum",
    "openvino",
    "transformers",
)


def describe(seed: int, rounds: int) -> dict[str, Any]:
    """The machine, versions, command and date of a run, by what the tables call them."""
    versions = {name: version(name) for name in PACKAGES}
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory GiB": memory(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: found for name, found in versions.items() if found},
        "command": shlex.join(["python", *map(short, sys.argv)]),
        "seed": seed,
        "rounds": rounds,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
    }


def short(argument: str) -> str:
    """An argument without the folders that only this machine has."""
    path = Path(argument)
    if argument == sys.argv[0]:
        return f"benchmarks/{path.name}"
    return path.name if path.is_absolute() or ".." in path.parts else argument


def version(package: str) -> Optional[str]:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def memory() -> Optional[float]:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def no_bfloat16() -> Optional[str]:
    """Why bfloat16 is no gain on this processor: None where it has the instructions."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "this system does not tell the processor's instructions"
    if any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16")):
        return None
    return "the processor has no bfloat16 instructions (avx512_bf16, amx_bf16)"


def no_vnni() -> Optional[str]:
    """Why int8 gains less on this processor than it can: None where it has the instructions, or may have them."""
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    if any(flag in flags for flag in ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp")):
        return None
    return "the processor has no instructions for int8 (avx512_vnni, avx_vnni, amx_int8)"


def no_int8() -> Optional[str]:
    """Why no network is quantized here: None where what does it is installed."""
    missing = [name for name in ("nncf", "openvino") if not version(name)]
    return f"{' and '.join(missing)} not installed" if missing else None


def no_openvino() -> Optional[str]:
    """Why OpenVINO computes nothing here: None where it is installed."""
    return None if version("openvino") else "openvino is not installed"


def no_transformers() -> Optional[str]:
    """Why no model of transformers is read here: None where it is installed."""
    return None if version("transformers") else "transformers is not installed"
