"""A small network that int8 computes well, and one that it does not; photos that they tell apart."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Optional

import torch
import yaml
from PIL import Image

MODEL = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv2d(3, 16, 3)
        self.last = torch.nn.Linear(16, 5)
        {first}

    def forward(self, images):
        return 40 * self.last(torch.relu(self.layer(images)).mean((2, 3)){features})
"""
CLEAR = MODEL.format(features="", first="")
# A feature that is a thousand times the others, and of no class: beside it int8 has no numbers for the others.
OUTLIER = MODEL.format(
    features=" + torch.nn.functional.pad(torch.tensor([1e4]), (0, 15))",
    first="self.last.weight.data[:, 0] = 0",
)
COUNT = 70
LABELS = {str(index): f"class {index}" for index in range(5)}


def save_photos(folder: Path) -> None:
    """Saves 70 pictures of noise, each of a colour of its own; and two that are others again."""
    generator = torch.Generator().manual_seed(0)
    for index in range(COUNT):
        colour = torch.randint(0, 256, (1, 1, 3), generator=generator)
        noise = torch.randint(0, 60, (24, 24, 3), generator=generator)
        pixels = (colour + noise).clamp(max=255).to(torch.uint8).numpy()
        Image.fromarray(pixels).save(folder / f"{index:02}.png")
    for index in range(2):
        shutil.copy(folder / f"{index:02}.png", folder / f"again{index}.png")


def network_of(code: str) -> torch.nn.Module:
    names: dict[str, Any] = {}
    exec(code, names)
    return names["Network"]().eval()


def write_archive(
    folder: Path,
    code: str = CLEAR,
    *,
    handler: str = "image_classifier",
    files: Optional[dict[str, str]] = None,
    model: Optional[dict[str, str]] = None,
    labels: Any = LABELS,
    **settings: Any,
) -> Path:
    """Writes an archive as a folder.

    Args:
        folder: where; it is made.
        code: of the model file, with a class Network.
        handler: of the manifest.
        files: texts of more files.
        model: in place of a model file and its weights, what the manifest names: of files that are there.
        labels: of index_to_name.json.
        settings: of section `handler:`.
    """
    (folder / "MAR-INF").mkdir(parents=True, exist_ok=True)
    if model is None:
        (folder / "model.py").write_text(code)
        torch.save(network_of(code).state_dict(), folder / "weights.pt")
        model = {"modelFile": "model.py", "serializedFile": "weights.pt"}
    for name, text in (files or {}).items():
        (folder / name).write_text(text)
    manifest = {"modelName": "tiny", "modelVersion": "1.0", "handler": handler, **model}
    manifest["configFile"] = "model-config.yaml"
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": manifest}))
    (folder / "index_to_name.json").write_text(json.dumps(labels))
    config = {"batchSize": 4, "handler": {"resize": 20, "crop": 16, **settings}}
    (folder / "model-config.yaml").write_text(yaml.safe_dump(config))
    return folder
