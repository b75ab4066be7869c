"""Environments in which `ts` is torchserve's own, or this library's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional

from benchmarks.workers.processes import ROOT, holds_this_library


def make_venv(folder: Path, ours: bool, module: Optional[Path] = None) -> Path:
    """Makes a virtual environment that borrows the packages of this one.

    Args:
        folder: Where.
        ours: Whether `ts` is this library's.
        module: One that each of its processes imports when it starts.

    Returns:
        Its interpreter.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    ask_purelib = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    purelib = subprocess.run(ask_purelib, check=True, capture_output=True, text=True).stdout.strip()
    borrowed = [path for path in sys.path if "-packages" in path and not holds_this_library(path)]
    first = [f"import sys; sys.path.insert(0, {str(ROOT)!r})"] if ours else []
    if module:
        shutil.copy(module, purelib)
        first.append(f"import {module.stem}")
    Path(purelib, "borrowed.pth").write_text("\n".join([*borrowed, *first]))
    return python
