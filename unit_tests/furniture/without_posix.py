"""Imports this library and answers by it where what only POSIX has is missing; run by test_without_posix.py.

What other packages import on this system is imported first, since they would import something else on Windows.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import prometheus_client  # noqa: F401
import rich.progress
import starlette.applications
import torch
import torchvision
import uvicorn  # noqa: F401

MODULES = ("fcntl", "resource", "pwd", "grp", "termios", "uvloop")
FUNCTIONS = (
    "fork",
    "geteuid",
    "getuid",
    "getpgid",
    "killpg",
    "setsid",
    "sched_getaffinity",
    "mkfifo",
    "sysconf",
)
FLAGS = ("O_NOFOLLOW", "O_CLOEXEC")
SIGNALS = ("SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1")


def take_away() -> None:
    """Leaves this process without what Python lacks on Windows."""
    sys.modules.update(dict.fromkeys(MODULES))
    for module, names in ((os, FUNCTIONS + FLAGS), (signal, SIGNALS)):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for package in (asyncio, rich.progress, starlette.applications, subprocess, torch, torchvision):
        assert package.__name__ in sys.modules


def import_all(package_name: str) -> None:
    """Imports each module that this project has of a package; Ray itself imports what only POSIX has."""
    package = importlib.import_module(package_name)
    folder = str(Path(package.__file__ or "").parent)
    for module in pkgutil.walk_packages([folder], f"{package_name}."):
        name = module.name
        found = getattr(module.module_finder, "path", "")
        if found.startswith(folder) and not name.endswith("__main__") and ".ray" not in name:
            importlib.import_module(name)


def main(arguments: list[str]) -> int:
    with suppress(ImportError):
        import psutil  # noqa: F401  by torchserve's metrics
    take_away()
    for name in ("ts", "model_archiver"):
        import_all(name)
    from ts.runner.main import main as run

    sys.argv = ["torch-model-runner", *arguments]
    return run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
