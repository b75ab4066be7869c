"""torchvision's pretrained weights: the one thing that is downloaded, and only to pack it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from ts.runner.errors import ArchiveError

logger = logging.getLogger(__name__)


def weights_file(weights: Any) -> Path:
    """The file of a member of a torchvision weights enum, in torch's cache, where it is downloaded to if need be.

    Raises:
        ArchiveError: it cannot be downloaded, or is not what torchvision says it is.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / os.path.basename(urlsplit(weights.url).path)
    if path.is_file():
        return path
    size = weights.meta.get("_file_size")
    logger.warning("downloading %s (%s MB) from %s to %s", weights, size or "?", weights.url, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        digest = torch.hub.HASH_REGEX.search(
            path.name
        )  # some digits of its sha256, as torchvision names its files
        torch.hub.download_url_to_file(weights.url, str(path), digest[1] if digest else None, progress=False)
    except (OSError, RuntimeError, ValueError) as error:  # also urllib's, and torch's of a wrong digest
        raise ArchiveError(
            f"the weights {weights} cannot be downloaded from {weights.url}: {error}. Get that file, and give it"
            f" by --weights, or put it at {path}."
        ) from error
    return path
