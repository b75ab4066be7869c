"""Packs all-MiniLM-L6-v2, a saved model of sentence-transformers, into minilm.mar."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from examples.assets import MINILM, fetch
from examples.building import build, pack

HERE = Path(__file__).resolve().parent


def build_archive(export_path: Path) -> Path:
    """Builds minilm.mar in a folder: the saved model as it is.

    Raises:
        AssetError: if the folder is not in the cache and cannot be downloaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(fetch(MINILM)) as saved:
            saved.extractall(folder)
        return pack(
            export_path,
            "minilm",
            "embedder",
            config_file=HERE / "model-config.yaml",
            extra_files=[Path(folder)],
        )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__)
