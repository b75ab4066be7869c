"""Packs all-MiniLM-L6-v2 into minilm.mar, and EfficientNet-Lite0 without its last layer into photo_vectors.mar."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import EFFICIENTNET_LITE0, MINILM, fetch
from examples.building import main, pack

HERE = Path(__file__).resolve().parent


def build_sentences(export_path: Path) -> Path:
    """Builds minilm.mar in a folder: a saved model folder of sentence-transformers, as it is.

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


def build_photos(export_path: Path) -> Path:
    """Builds photo_vectors.mar in a folder: the classifier of `examples/image_classifier`, without its last layer.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    return pack(
        export_path,
        "photo_vectors",
        "embedder",
        model_file=HERE.parent / "image_classifier" / "model.py",
        weights=fetch(EFFICIENTNET_LITE0),
        config_file=HERE / "photos.yaml",
    )


def build_both(export_path: Path) -> list[Path]:
    """Builds both archives."""
    return [build_sentences(export_path), build_photos(export_path)]


if __name__ == "__main__":
    sys.exit(main(build_both, __doc__))
