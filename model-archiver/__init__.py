"""torch-model-archiver: packs a model, its handler and its files into one archive that TorchServe serves.

The way of a run, from the top down; a room imports only from those below it::

    arg_parser -> model_archiver_config     what was asked for
    model_packaging -> packing              the table of default handlers, the entry points, and the way as code
    writing/                                one streaming pass into a temporary beside the target, read back
    inputs/                                 every file and its place in the archive; nothing is written
    checks/                                 what TorchServe could not load, told before a byte is written
    publishing/                             synced to the disk, and renamed into place
    manifest_components/                    MAR-INF/MANIFEST.json

Only the standard library is imported; PyYAML and rich are used where they are installed.
"""

from __future__ import annotations

from .model_archiver import ModelArchiver
from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError
from .version import __version__

__all__ = ["ModelArchiver", "ModelArchiverConfig", "ModelArchiverError", "__version__"]
