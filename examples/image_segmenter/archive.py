"""Packs U^2-Net-p, which tells objects from the background, into u2netp.mar."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from examples.assets import COFFEE, U2NETP, fetch
from examples.building import build, pack
from examples.image_segmenter.model import U2NetP
from examples.image_segmenter.onnx_weights import read_float_weights

HERE = Path(__file__).resolve().parent


def convert_weights(onnx_file: Path) -> dict[str, torch.Tensor]:
    """The state dict of U2NetP, out of the published ONNX file.

    The file has lost most of the names; its order is that in which the network's parts are registered.
    """
    names = U2NetP().state_dict()
    weights = read_float_weights(onnx_file).values()
    return {name: torch.tensor(values) for name, values in zip(names, weights)}


def build_archive(export_path: Path) -> Path:
    """Builds u2netp.mar in a folder.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    onnx_file = fetch(U2NETP)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "u2netp.pt"
        torch.save(convert_weights(onnx_file), weights)
        return pack(
            export_path,
            "u2netp",
            "image_segmenter",
            model_file=HERE / "model.py",
            weights=weights,
            labels={0: "background", 1: "object"},
            config_file=HERE / "model-config.yaml",
        )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__, [COFFEE])
