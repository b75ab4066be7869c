"""Answers a TorchServe model archive in this process, as a running TorchServe would.

Example:
    from pathlib import Path

    from ts.runner import load_archive

    with load_archive("kitten.mar") as model:
        answers = model.predict([Path("kitten.jpg")], options={"topk": 3})
        print(answers[0].status, answers[0].response)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ts.runner.standins  # noqa: F401 (first, since the others import what it makes importable)
from ts.runner.answering.answer import Answer
from ts.runner.answering.context import Context
from ts.runner.answering.model import Model, load_archive
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.errors import ArchiveError, DeviceError, RunnerError, ServerError

if TYPE_CHECKING:
    from ts.runner.packing import pack

__all__ = [
    "Answer",
    "Archive",
    "ArchiveError",
    "Context",
    "DeviceError",
    "Model",
    "RunnerError",
    "ServerError",
    "load_archive",
    "open_archive",
    "pack",
]


def __getattr__(name: str) -> Any:
    """`pack`, which torch is imported for, and which few programs ask for."""
    if name != "pack":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ts.runner.packing import pack

    return pack
