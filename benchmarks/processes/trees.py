"""What a process and all that it started have used, by Linux's /proc."""

from __future__ import annotations

import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
KILL_SECONDS = 10
CPUCLOCK_SCHED = 2  # include/linux/posix-timers_types.h


class Process(NamedTuple):
    """A process: its parent's id, its own CPU seconds, and those of its children that ended and were awaited."""

    parent: int
    own: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.own + self.ended


def parse_stat(text: str) -> Process:
    """Reads /proc/PID/stat, see proc(5): fields count from behind the name, which may hold anything."""
    fields = text.rpartition(")")[2].split()
    user, system, *ended = (int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:15])
    return Process(int(fields[1]), user + system, sum(ended))


def own_seconds(pid: int) -> float:
    """To the nanosecond, where /proc knows hundredths: clock_getcpuclockid(3), as Linux makes such a clock's id.

    Raises:
        OSError: There is no such process, or it is a zombie.
    """
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)


def all_processes() -> dict[int, Process]:
    found = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):  # it has ended
                process = parse_stat((folder / "stat").read_text(errors="replace"))
                with suppress(OSError):
                    process = process._replace(own=own_seconds(int(folder.name)))
                found[int(folder.name)] = process
    return found


def tree(root: int, processes: dict[int, Process]) -> list[int]:
    """The root and all below it."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found = [root]
    for pid in found:  # which grows meanwhile
        found += children.get(pid, [])
    return [pid for pid in found if pid in processes]


def cpu_seconds(root: int) -> float:
    """That a tree has used, with those of its processes that ended, if the root is a launcher (see there)."""
    processes = all_processes()
    return sum(processes[pid].seconds for pid in tree(root, processes))


def memory(root: int) -> float:
    """Megabytes of all below the root; what processes share counts once (PSS)."""
    return sum(own_memory(pid) for pid in tree(root, all_processes()) if pid != root)


def own_memory(pid: int) -> float:
    """Megabytes of a process, with its part of what it shares (PSS); 0 where it has ended."""
    return megabytes(pid, "smaps_rollup", PSS)


def peak_memory(pid: int) -> float:
    """The most megabytes that a process has had in memory at a time, with all that it shares (VmHWM)."""
    return megabytes(pid, "status", HIGH_WATER)


def megabytes(pid: int, file: str, line: re.Pattern[str]) -> float:
    with suppress(OSError):
        if found := line.search((PROC / str(pid) / file).read_text()):
            return int(found[1]) * 1024 / 1e6
    return 0.0


def running(script: str, root: int) -> list[int]:
    """Those of a tree whose command has an argument that ends so."""
    found = []
    for pid in tree(root, all_processes()):
        with suppress(OSError):
            arguments = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            if any(argument.endswith(script.encode()) for argument in arguments):
                found.append(pid)
    return found


def kill(root: int) -> None:
    """Ends all below a root, and then the root; what starts meanwhile, too."""
    end = time.monotonic() + KILL_SECONDS
    while time.monotonic() < end:
        left = [pid for pid in tree(root, all_processes()) if pid != root]
        if not left:
            break
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.kill(root, signal.SIGKILL)
