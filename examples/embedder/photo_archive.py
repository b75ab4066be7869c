"""Packs EfficientNet-Lite0 without its last layer into photo_vectors.mar."""

from __future__ import annotations

from pathlib import Path

from examples.assets import EFFICIENTNET_LITE0, fetch
from examples.building import build, pack

HERE = Path(__file__).resolve().parent


def build_archive(export_path: Path) -> Path:
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


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__)
