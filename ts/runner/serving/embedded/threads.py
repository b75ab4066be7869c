"""How many threads each worker computes in."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Optional

CGROUP = Path("/sys/fs/cgroup")


def threads_of_a_worker(workers: int) -> int:
    """As many that all workers together leave one CPU to what speaks HTTP.

    OpenMP's threads wait for each other in a loop: two on one busy CPU take several times as long as one alone.
    """
    return max(1, (usable_cpus() - 1) // workers)


def usable_cpus() -> int:
    """The CPUs that this process may run on, and no more than its container's limit is worth."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cpus, math.ceil(cpu_limit() or cpus)))


def cpu_limit() -> Optional[float]:
    """The limit of this container in CPUs, if it has one: by cgroup v2, else v1 (Linux' admin-guide)."""
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        with suppress(OSError, ValueError):  # there is no such file, or it says "max"
            quota, period = " ".join((CGROUP / name).read_text() for name in names).split()
            if int(quota) > 0:
                return int(quota) / int(period)
    return None
