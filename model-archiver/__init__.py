"""torch-model-archiver: packs a model, its handler and its files into one archive that TorchServe serves.

The way of a run, one module a step::

    arg_parser -> model_archiver_config     what was asked for
    plan                                    every file, its place in the archive, every check; nothing is written
    formats/                                one streaming pass into a temporary name beside the target
    publish                                 verified, synced to the disk, and renamed into place

`model_packaging` holds the table of default handlers. Only the standard library is imported.
"""

from __future__ import annotations

__version__ = "0.1.0"

from .model_archiver import ModelArchiver
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError

__all__ = ["ModelArchiver", "ModelArchiverConfig", "ModelArchiverError", "__version__"]
