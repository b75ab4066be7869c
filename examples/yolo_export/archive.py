"""Exports YOLOv3-tiny bare, by torch.export, and packs it into yolov3_export.mar."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from examples.assets import COCO_NAMES, YOLOV3_TINY, fetch_all
from examples.building import build, pack
from examples.object_detector.darknet import read_state_dict
from examples.object_detector.model import INPUT_SIZE
from examples.yolo_export.bare import BareYOLO

HERE = Path(__file__).resolve().parent


def build_archive(export_path: Path) -> Path:
    """Builds yolov3_export.mar in a folder.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    darknet_weights, names = fetch_all([YOLOV3_TINY, COCO_NAMES])
    network = BareYOLO().eval()
    network.load_state_dict(read_state_dict(darknet_weights, network))
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "yolov3.pt2"
        square = torch.zeros(
            1, 3, INPUT_SIZE, INPUT_SIZE
        )  # one at a time, as exporters do unless told otherwise
        torch.export.save(torch.export.export(network, (square,)), program)
        return pack(
            export_path,
            "yolov3_export",
            "object_detector",
            weights=program,
            labels=dict(enumerate(names.read_text(encoding="utf-8").split("\n"))),
            config_file=HERE / "model-config.yaml",
        )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__)
