"""Packs YOLOv3-tiny, with its COCO weights and labels, into yolov3_tiny.mar."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from examples.assets import COCO_NAMES, COFFEE, YOLOV3_TINY, fetch_all
from examples.building import build, pack
from examples.object_detector.darknet import read_state_dict
from examples.object_detector.model import YOLOv3Tiny

HERE = Path(__file__).resolve().parent


def build_archive(export_path: Path) -> Path:
    """Builds yolov3_tiny.mar in a folder.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    darknet_weights, names = fetch_all([YOLOV3_TINY, COCO_NAMES])
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "yolov3_tiny.pt"
        torch.save(read_state_dict(darknet_weights, YOLOv3Tiny()), weights)
        return pack(
            export_path,
            "yolov3_tiny",
            "object_detector",
            model_file=HERE / "model.py",
            weights=weights,
            labels=dict(enumerate(names.read_text(encoding="utf-8").split("\n"))),
            config_file=HERE / "model-config.yaml",
        )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__, [COFFEE])
