"""Packs EfficientNet-Lite0 twice, with two handlers that are not the default ones."""

from __future__ import annotations

from pathlib import Path

from examples.assets import CHELSEA, EFFICIENTNET_LITE0, fetch
from examples.building import build, pack
from examples.image_classifier.archive import imagenet_labels

HERE = Path(__file__).resolve().parent


def build_archive(export_path: Path, handler: str = "cat_or_not") -> Path:
    """Builds the archive of a handler of this folder, `cat_or_not` or `image_embedder`, named like it.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    return pack(
        export_path,
        handler,
        HERE / f"{handler}.py",
        model_file=HERE.parent / "image_classifier" / "model.py",
        weights=fetch(EFFICIENTNET_LITE0),
        labels=imagenet_labels(),
    )


def build_both(export_path: Path) -> list[Path]:
    """Builds the archives of both handlers."""
    return [build_archive(export_path, handler) for handler in ("cat_or_not", "image_embedder")]


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_both, __doc__, [CHELSEA])
