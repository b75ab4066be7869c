"""How fast two networks are, on this machine and now."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import torch

from ts.handler_utils.models.openvino.library import core
from ts.handler_utils.models.openvino.network import Network

ROUNDS = 11
MOST_SECONDS = 20.0
_CPUINFO = Path("/proc/cpuinfo")
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}  # the flags of Linux


@dataclass(frozen=True)
class Speed:
    """Medians of rounds in which both networks took turns.

    Attributes:
        float32: rows a second of the network as OpenVINO has it in float32.
        int8: of the quantized one.
        rows: of a batch.
        threads: of each.
        processor: its name.
        dot_products: whether it has instructions for int8 (VNNI, AMX; of Arm dot products); None if that is not
            known. Without them int8 gains less.
    """

    float32: float
    int8: float
    rows: int
    threads: int
    processor: str
    dot_products: Optional[bool]


def measure(float32: Path, int8: Path, tensors: Sequence[torch.Tensor], rows: int) -> Speed:
    """Measures two networks in turn, on the tensors of a batch of so many rows."""
    networks = [Network(path) for path in (float32, int8)]
    times: list[list[float]] = [[], []]
    end = time.perf_counter() + MOST_SECONDS
    while len(times[1]) <= ROUNDS and (len(times[1]) < 3 or time.perf_counter() < end):
        for network, taken in zip(networks, times):
            start = time.perf_counter()
            network(tensors)
            taken.append(time.perf_counter() - start)
    rates = [rows / statistics.median(taken[1:]) for taken in times]  # the first call makes ready
    return Speed(rates[0], rates[1], rows, torch.get_num_threads(), processor_name(), has_dot_products())


def processor_name() -> str:
    return str(core().get_property("CPU", "FULL_DEVICE_NAME")).strip() or platform.machine()


def has_dot_products() -> Optional[bool]:
    """Whether the CPU multiplies int8 and adds up in one instruction; None where that is not known."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    flags = {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()[1:]}
    return bool(flags & _DOT_PRODUCTS) if flags else None
