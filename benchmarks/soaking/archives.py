"""Four archives with networks of a few lines, so that the load falls on the handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

BATCH_SIZE = 8
SERVING = f"batchSize: {BATCH_SIZE}\nmaxBatchDelay: 5\nminWorkers: 1\nmaxWorkers: 1\nresponseTimeout: 60\n"

CLASSIFIER = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.convolution = nn.Conv2d(3, 16, 7, stride=4)
        self.head = nn.Linear(16, 20)

    def forward(self, images):
        return self.head(self.convolution(images).relu().mean((2, 3)))
"""
# Without sums over pixels, so that no pixel's class depends on how a batch is computed.
SEGMENTER = """
import torch
from torch import nn

class Network(nn.Module):
    def forward(self, images):
        return {"out": 3 * torch.cat([torch.full_like(images[:, :1], 0.4), images], dim=1)}
"""
# Three boxes an image, whose sizes are shares of the image's, and whose scores are its brightness by channel.
DETECTOR = """
import torch
from torch import nn

class Network(nn.Module):
    def forward(self, images):
        return [self.detect(image) for image in images]

    def detect(self, image):
        height, width = image.shape[-2:]
        corners = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.2, 0.3, 0.9, 0.9], [0.0, 0.5, 0.4, 1.0]])
        boxes = corners * torch.tensor([width, height, width, height])
        return {"boxes": boxes, "labels": torch.tensor([1, 2, 3]), "scores": image.mean((1, 2))}
"""
NEWS = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.embedding = nn.EmbeddingBag({words}, 16)
        self.head = nn.Linear(16, 4)

    def forward(self, indexes, offsets):
        return self.head(self.embedding(indexes, offsets))
"""


@dataclass(frozen=True)
class Served:
    """A model: the handler that answers with it, its network, its settings and its labels."""

    name: str
    handler: str
    network: str
    labels: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path, vocabulary: Mapping[str, int]) -> Path:
        """Writes the archive as a folder, named as the model."""
        path = folder / self.name
        (path / "MAR-INF").mkdir(parents=True)
        model = {"modelName": self.name, "handler": self.handler, "modelVersion": "1.0"}
        files = {"modelFile": "network.py", "configFile": "model-config.yaml"}
        manifest = {"runtime": "python", "model": {**model, **files}}
        (path / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
        (path / "network.py").write_text(self.network.replace("{words}", str(len(vocabulary))))
        (path / "index_to_name.json").write_text(json.dumps(dict(enumerate(self.labels))))
        (path / "model-config.yaml").write_text(f"{SERVING}handler: {json.dumps(dict(self.settings))}\n")
        if self.handler == "text_classifier":
            torch.save(dict(vocabulary), path / "source_vocab.pt")
        return path


MODELS = (
    Served("classifier", "image_classifier", CLASSIFIER, tuple(f"class {index}" for index in range(20))),
    Served(
        "segmenter",
        "image_segmenter",
        SEGMENTER,
        ("dark", "red", "green", "blue"),
        {"resize": 64, "crop": 64, "mean": [0.0], "std": [1.0]},
    ),
    Served("detector", "object_detector", DETECTOR, ("nothing", "cup", "bowl", "plate"), {"threshold": 0.1}),
    Served("news", "text_classifier", NEWS, ("World", "Sports", "Business", "Sci/Tech")),
)


def write_archives(folder: Path, vocabulary: Mapping[str, int]) -> list[Path]:
    """Writes the archives of all models into a folder.

    Args:
        folder: theirs.
        vocabulary: the indexes of the tokens that the text classifier knows.
    """
    return [model.write(folder, vocabulary) for model in MODELS]
