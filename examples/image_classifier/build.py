"""Packs EfficientNet-Lite0, with its ImageNet weights and labels, into efficientnet_lite0.mar."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive
from torchvision.models import EfficientNet_B0_Weights

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import EFFICIENTNET_LITE0, AssetError, fetch

HERE = Path(__file__).resolve().parent
MODEL_NAME = "efficientnet_lite0"


def write_labels(path: Path) -> None:
    """Write TorchServe's index_to_name.json for the 1000 classes of ImageNet-1k, which torchvision lists."""
    categories = EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]
    labels = {str(index): name for index, name in enumerate(categories)}
    path.write_text(json.dumps(labels, indent=1), encoding="utf-8")


def build_archive(export_path: Path) -> Path:
    """Build the archive in a folder, which is made if need be; an older archive there is replaced.

    Returns:
        The path of efficientnet_lite0.mar.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    weights = fetch(EFFICIENTNET_LITE0)
    export_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "index_to_name.json"
        write_labels(labels)
        config = ModelArchiverConfig(
            model_name=MODEL_NAME,
            version="1.0",
            handler="image_classifier",
            model_file=str(HERE / "model.py"),
            serialized_file=str(weights),
            extra_files=str(labels),
            config_file=str(HERE / "model-config.yaml"),
            export_path=str(export_path),
            force=True,
        )
        generate_model_archive(config)
    return export_path / f"{MODEL_NAME}.mar"


def main() -> int:
    """Build the archive where the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--export-path", type=Path, default=Path("model_store"), help="default: %(default)s")
    try:
        archive = build_archive(parser.parse_args().export_path)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{archive}  {archive.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
