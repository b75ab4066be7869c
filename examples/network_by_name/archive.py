"""Packs a network of timm's, a module at hand, into lite0_by_name.mar; its weights come to lie beside it."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from safetensors.torch import save_file

from examples.assets import COFFEE, EFFICIENTNET_LITE0, fetch
from examples.building import build
from examples.network_by_name import NAME
from ts.runner import pack


def network() -> torch.nn.Module:
    """EfficientNet-Lite0 as timm has it, with real weights: the same layers in the same order, by timm's names.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    model = timm.create_model(NAME, pretrained=False)
    weights = torch.load(fetch(EFFICIENTNET_LITE0), map_location="cpu", weights_only=True)
    model.load_state_dict(dict(zip(model.state_dict(), weights.values())))
    return model.eval()


def build_archive(export_path: Path) -> Path:
    """Builds lite0_by_name.mar and tf_efficientnet_lite0.safetensors in a folder.

    Raises:
        AssetError: if the weights are not in the cache and cannot be downloaded.
    """
    export_path.mkdir(parents=True, exist_ok=True)
    model = network()
    save_file(model.state_dict(), export_path / f"{NAME}.safetensors")
    archive = export_path / "lite0_by_name.mar"
    print(pack(model, archive, force=True))
    return archive


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__, [COFFEE])
