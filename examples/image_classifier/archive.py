"""Packs EfficientNet-Lite0, with its ImageNet weights and labels, into efficientnet_lite0.mar."""

from __future__ import annotations

from pathlib import Path

from torchvision.models import EfficientNet_B0_Weights

from examples.assets import COFFEE, EFFICIENTNET_LITE0, fetch
from examples.building import build, pack

HERE = Path(__file__).resolve().parent


def imagenet_labels() -> dict[int, str]:
    """The labels of the 1000 classes of ImageNet-1k, which torchvision lists."""
    return dict(enumerate(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]))


def build_archive(export_path: Path) -> Path:
    """Builds efficientnet_lite0.mar in a folder.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    return pack(
        export_path,
        "efficientnet_lite0",
        "image_classifier",
        model_file=HERE / "model.py",
        weights=fetch(EFFICIENTNET_LITE0),
        labels=imagenet_labels(),
        config_file=HERE / "model-config.yaml",
    )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__, [COFFEE])
