"""torch-model-archiver: packs a model, its handler and its files into one archive that TorchServe serves.

The way of a run, one module a step::

    arg_parser -> model_archiver_config     what was asked for
    plan                                    every file, its place in the archive, every check; nothing is written
    writing, formats/                       one streaming pass into a temporary beside the target, read back
    publish                                 synced to the disk, and renamed into place

`packing` is that way as code, `model_packaging` has the table of default handlers and the entry points, and
`integrity` checks the digests that an archive carries. Only the standard library is imported.
"""

from __future__ import annotations

__version__ = "0.1.0"

from .model_archiver import ModelArchiver
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError

__all__ = ["ModelArchiver", "ModelArchiverConfig", "ModelArchiverError", "__version__"]
