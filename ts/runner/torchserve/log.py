"""Reads from TorchServe's console output why something did not start."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Optional

RETRY = "Retry worker:"  # the frontend says so after every start of a worker that failed
NOT_LOADED = "Failed to load model: "  # and so of an archive of `load_models` for which it starts no worker
EXCEPTION = re.compile(r"[\w.]+(?:Error|Exception|Exit|Interrupt)\b.*")


def worker_failure(log: Path, name: str, version: str) -> Optional[str]:
    """Why a model's worker failed to start: the last exception that it named, else the last line that it wrote.

    Returns None where none has failed.

    Args:
        log: What the server wrote to its console.
        name: The model's name.
        version: The model's version.
    """
    thread = f"{name}_{version}"
    lines = [line for line in read_lines(log) if f"-{thread} " in line or f"-{thread}-std" in line]
    if not any(RETRY in line for line in lines):
        return None
    output = [line.partition("MODEL_LOG - ")[2] for line in lines if "MODEL_LOG - " in line]
    return last_exception(output) or (output[-1] if output else server_failure(log))


def load_failure(log: Path, archive: str) -> Optional[str]:
    """Why the frontend itself could not load an archive: the exception that it named; None where it could.

    Args:
        log: What the server wrote to its console.
        archive: The archive's name in the model store.
    """
    lines = iter(read_lines(log))
    failed = next((line for line in lines if line.endswith(NOT_LOADED + archive)), None)
    if failed is None:
        return None
    reason = next(lines, "")
    return reason if EXCEPTION.fullmatch(reason) else failed


def server_failure(log: Path) -> str:
    """Why the server ended: the last exception that it named, else its last line."""
    lines = [line for line in read_lines(log) if line]
    return last_exception(lines) or (lines[-1] if lines else "it wrote nothing")


def last_exception(lines: Iterable[str]) -> Optional[str]:
    found = [line for line in lines if EXCEPTION.fullmatch(line)]
    return found[-1] if found else None


def read_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
