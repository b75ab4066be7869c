"""The archive formats, one module each."""

from __future__ import annotations

from ..compressibility import compresses, never
from .base import ArchiveFormat
from .folder import FolderFormat
from .tgz import TgzFormat
from .zip import ZipFormat

__all__ = ["FORMATS", "ArchiveFormat"]

FORMATS: dict[str, ArchiveFormat] = {
    "default": ZipFormat(deflates=compresses),
    "zip-store": ZipFormat(deflates=never),
    "tgz": TgzFormat(deflates=compresses),
    "no-archive": FolderFormat(),
}
"""What each value of `--archive-format` stands for."""
