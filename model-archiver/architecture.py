"""The one door from the archiver to `ts`: a network by name is made by torch, which all else here does without."""

from __future__ import annotations

from .model_archiver_config import ModelArchiverConfig
from .model_archiver_error import ModelArchiverError


def pack_architecture(config: ModelArchiverConfig) -> str:
    """Packs the network of torchvision or timm that `config.architecture` names.

    Returns:
        What was packed, on one line for a person.

    Raises:
        ModelArchiverError: The archive cannot be made; what was there before is as it was.
    """
    try:
        from ts.runner.packing import command
    except ImportError as error:
        raise ModelArchiverError(
            f"--architecture needs torch, torchvision and this library's handlers: pip install torchserve-handlers"
            f" ({error})"
        ) from error
    return command.pack_architecture(config)
