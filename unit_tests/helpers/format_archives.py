"""Real networks, packed in each model format: EfficientNet-Lite0, U^2-Net-p, and a network of torchvision."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Optional

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

# Of those that are packed here, the ones that live servers are asked.
LIVE_FORMATS = (
    "lite0_pth",
    "lite0_safetensors",
    "lite0_torchscript",
    "lite0_exported",
    "resnet_by_name",
    "u2netp_onnx",
)

# Answers with the saliency of an image, pooled to 8x8, whether U^2-Net-p is ONNX or its class.
SALIENCY = """
import torch

from ts.torch_handler.vision_handler import VisionHandler


class Saliency(VisionHandler):
    def postprocess(self, data):
        saliency = data[0] if isinstance(data, list) else torch.sigmoid(data["out"][:, 1:])
        return torch.nn.functional.adaptive_avg_pool2d(saliency, 8).flatten(1).tolist()
"""
SALIENCY_SETTINGS = {"resize": [320, 320], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

RESNET = """
from torchvision.models.resnet import BasicBlock, ResNet


class ResNet18(ResNet):
    def __init__(self):
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=7)
"""


def pack_format(
    folder: Path, name: str, handler: str, settings: Optional[dict[str, Any]] = None, **files: Any
) -> Path:
    """Packs an archive; `files` are fields of ModelArchiverConfig."""
    if settings:
        files["config_file"] = str(folder / f"{name}.yaml")
        Path(files["config_file"]).write_text(json.dumps({"maxWorkers": 1, "handler": settings}))
    named = {key: str(value) for key, value in files.items()}
    config = ModelArchiverConfig(
        model_name=name, version="1.0", handler=handler, export_path=str(folder), force=True, **named
    )
    generate_model_archive(config)
    return folder / f"{name}.mar"


def pack_classifiers(folder: Path, network: Path) -> dict[str, Path]:
    """EfficientNet-Lite0 in the formats that need nothing but torch.

    Args:
        folder: where the archives go.
        network: the unpacked archive of the example image_classifier.
    """
    from ts.handler_utils.models.formats.eager import load_eager

    model = load_eager(network, "model.py", network / "efficientnet_lite0.pt", "cpu")
    save_weights(model.state_dict(), folder)
    save_programs(model, folder)
    labels = network / "index_to_name.json"

    def pack(name: str, file: str, **files: Any) -> Path:
        return pack_format(
            folder, name, "image_classifier", serialized_file=folder / file, extra_files=labels, **files
        )

    eager = {"model_file": network / "model.py"}
    return {
        "lite0_pth": pack("lite0_pth", "lite0.pth", **eager),
        "lite0_bin": pack("lite0_bin", "lite0.bin", **eager),
        "lite0_safetensors": pack("lite0_safetensors", "lite0.safetensors", **eager),
        "lite0_torchscript": pack("lite0_torchscript", "lite0.pt"),
        "lite0_exported": pack("lite0_exported", "lite0_any.pt2"),
        "lite0_exported_for_two": pack("lite0_exported_for_two", "lite0_two.pt2"),
    }


def save_weights(state: dict[str, Any], folder: Path) -> None:
    """Writes a state dict as lite0.pth, .bin and .safetensors."""
    import safetensors.torch
    import torch

    for suffix in ("pth", "bin"):
        torch.save(state, folder / f"lite0.{suffix}")
    safetensors.torch.save_file(state, folder / "lite0.safetensors")


def save_programs(model: Any, folder: Path) -> None:
    """Writes a model with its code: TorchScript as lite0.pt; exported for any batch, and for two images."""
    import torch

    images = torch.zeros(2, 3, 224, 224)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(model, images).save(str(folder / "lite0.pt"))
    rows = torch.export.Dim("rows", min=1)
    for name, shapes in (("any", ({0: rows},)), ("two", None)):
        program = torch.export.export(model, (images,), dynamic_shapes=shapes, strict=False)
        torch.export.save(program, str(folder / f"lite0_{name}.pt2"))


def pack_architecture(folder: Path) -> dict[str, Path]:
    """A network of torchvision with seeded weights, by its name and by a model file."""
    import torch
    import torchvision

    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(num_classes=7).state_dict(), folder / "resnet.pth")
    (folder / "resnet.py").write_text(RESNET)
    weights = folder / "resnet.pth"
    named = {"architecture": {"name": "resnet18", "num_classes": 7}}
    return {
        "resnet_by_name": pack_format(
            folder, "resnet_by_name", "image_classifier", named, serialized_file=weights
        ),
        "resnet_by_file": pack_format(
            folder,
            "resnet_by_file",
            "image_classifier",
            serialized_file=weights,
            model_file=folder / "resnet.py",
        ),
    }


def pack_onnx(folder: Path) -> dict[str, Path]:
    """U^2-Net-p as its published ONNX file, and as the class of the example image_segmenter with its weights.

    Raises:
        AssetError: the file is not to be had.
    """
    import torch

    from examples.assets import U2NETP, fetch
    from examples.image_segmenter.archive import convert_weights

    onnx_file = fetch(U2NETP)
    torch.save(convert_weights(onnx_file), folder / "u2netp.pt")
    (folder / "saliency.py").write_text(SALIENCY)
    handler = str(folder / "saliency.py")
    model_file = Path(__file__).resolve().parents[2] / "examples" / "image_segmenter" / "model.py"
    return {
        "u2netp_onnx": pack_format(
            folder, "u2netp_onnx", handler, SALIENCY_SETTINGS, serialized_file=onnx_file
        ),
        "u2netp_eager": pack_format(
            folder,
            "u2netp_eager",
            handler,
            SALIENCY_SETTINGS,
            serialized_file=folder / "u2netp.pt",
            model_file=model_file,
        ),
    }
