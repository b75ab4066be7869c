"""`MAR-INF/MANIFEST.json`, the file by which TorchServe knows an archive."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from ..reproducible import creation_time
from ..version import __version__
from .model import Model

MANIFEST_PATH = "MAR-INF/MANIFEST.json"


class RuntimeType(Enum):
    """What runs the handler."""

    PYTHON = "python"
    PYTHON3 = "python3"
    LSP = "LSP"


class Manifest:
    """The manifest of one archive.

    Args:
        runtime: A value of `RuntimeType`.
        model: The model's part.

    Attributes:
        manifest_dict: The manifest as it is written, but for the digests of the files.

    Raises:
        ValueError: There is no such runtime.
    """

    def __init__(self, runtime: str, model: Model) -> None:
        self.creation_time = creation_time()
        self.runtime = RuntimeType(runtime)
        self.model = model
        self.archiver_version = __version__
        self.manifest_dict = self.__to_dict__()

    def __to_dict__(self) -> dict[str, Any]:
        return {
            "createdOn": self.creation_time,
            "runtime": self.runtime.value,
            "model": self.model.__to_dict__(),
            "archiverVersion": self.archiver_version,
        }

    def __str__(self) -> str:
        return json.dumps(self.manifest_dict, indent=2)

    __repr__ = __str__
