"""The formats that an archive can be exported to: each writes a program to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import torch

from ts.runner.errors import ArchiveError

NAMES = {
    "pt2": "a torch.export program",
    "aot": "an AOTInductor package",
    "openvino": "converted for OpenVINO",
}


def writer(kind: str) -> Callable[[Any, Path], None]:
    """What writes an exported program to a file: `write(program, path)`.

    Raises:
        ArchiveError: this torch has no such format.
    """
    if kind == "pt2":
        return write_program
    if not hasattr(torch._inductor, "aoti_compile_and_package"):
        raise ArchiveError(
            f"AOTInductor packages are written by torch from 2.6 on: this is {torch.__version__}"
        )
    return write_package


def write_program(program: Any, path: Path) -> None:
    torch.export.save(program, str(path))


def write_package(program: Any, path: Path) -> None:
    """Compiles a program, which takes a C++ compiler and some time."""
    from torch._inductor import config

    options = {}
    if hasattr(config.aot_inductor, "check_lowerbound"):  # which would refuse batches of one
        options["aot_inductor.check_lowerbound"] = False
    torch._inductor.aoti_compile_and_package(program, package_path=str(path), inductor_configs=options)
