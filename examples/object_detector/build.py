"""Packs YOLOv3-tiny, with its COCO weights and labels, into yolov3_tiny.mar."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import COCO_NAMES, YOLOV3_TINY, AssetError, fetch_all
from examples.object_detector.darknet import read_state_dict
from examples.object_detector.model import YOLOv3Tiny

HERE = Path(__file__).resolve().parent
MODEL_NAME = "yolov3_tiny"


def write_labels(names: Path, path: Path) -> None:
    """Write TorchServe's index_to_name.json for classes that a file names, one a line."""
    labels = dict(enumerate(names.read_text(encoding="utf-8").split("\n")))
    path.write_text(json.dumps(labels, indent=1), encoding="utf-8")


def build_archive(export_path: Path) -> Path:
    """Build the archive in a folder, which is made if need be; an older archive there is replaced.

    Returns:
        The path of yolov3_tiny.mar.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    darknet_weights, names = fetch_all([YOLOV3_TINY, COCO_NAMES])
    export_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        labels, weights = Path(folder) / "index_to_name.json", Path(folder) / f"{MODEL_NAME}.pt"
        write_labels(names, labels)
        torch.save(read_state_dict(darknet_weights, YOLOv3Tiny()), weights)
        config = ModelArchiverConfig(
            model_name=MODEL_NAME,
            version="1.0",
            handler="object_detector",
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
