"""Environments in which `ts` is torchserve's own, or this library's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.workers.processes import ROOT, holds_this_library


def make_venv(folder: Path, ours: bool) -> Path:
    """Makes a virtual environment that borrows the packages of this one, and returns its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    ask_purelib = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    purelib = subprocess.run(ask_purelib, check=True, capture_output=True, text=True).stdout.strip()
    borrowed = [path for path in sys.path if "-packages" in path and not holds_this_library(path)]
    first = [f"import sys; sys.path.insert(0, {str(ROOT)!r})"] if ours else []
    Path(purelib, "borrowed.pth").write_text("\n".join([*borrowed, *first]))
    return python
