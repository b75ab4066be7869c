"""Archives of the five handlers with networks of a few lines, unpacked, and requests for them."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

CLASS = """
import torch

class Tiny(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Identity()

    def forward(self, x):
        %s
"""
DETECTOR = """boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 5.0, 6.0]])
        labels = torch.tensor([1, 2])
        seen = [torch.stack([image.mean(), image.max()]) for image in self.layer(x)]
        return [{"boxes": boxes, "labels": labels, "scores": scores} for scores in seen]"""
BAG = """
import torch

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag(4, 2)
        self.embedding.weight.data = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])

    def forward(self, indexes, offsets):
        return self.embedding(indexes, offsets)
"""


@dataclass(frozen=True)
class TinyArchive:
    """One handler, the network that it answers with, and what it is asked."""

    handler: type[BaseHandler]
    model: str
    rows: list[dict[str, Any]]
    settings: dict[str, Any]

    def write(self, folder: Path) -> Path:
        """Writes model.py, index_to_name.json and source_vocab.pt into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.py").write_text(self.model)
        (folder / "index_to_name.json").write_text(json.dumps({"0": "a", "1": "b", "2": "c"}))
        torch.save({"<unk>": 0, "rain": 1, "sun": 2, "rain sun": 3}, folder / "source_vocab.pt")
        return folder


def photo(colour: str, size: tuple[int, int] = (40, 30)) -> bytes:
    """A JPEG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG")
    return file.getvalue()


PHOTOS: list[dict[str, Any]] = [
    {"data": photo("red")},
    {"body": photo("blue")},
    {"data": photo("white"), "topk": "2"},
]
GREEN = photo("green", (20, 20))
CROPPED = {"resize": 8, "crop": 8}
TINY = {
    "base": TinyArchive(
        BaseHandler, CLASS % "return x * 2", [{"data": [1.0, 2.0]}, {"data": [3.0, 4.0]}], {}
    ),
    "classifier": TinyArchive(ImageClassifier, CLASS % "return self.layer(x).mean((2, 3))", PHOTOS, CROPPED),
    "segmenter": TinyArchive(
        ImageSegmenter,
        CLASS % "return self.layer(x)",
        [*PHOTOS, {"data": GREEN, "format": "rle", "size": "original"}, {"data": GREEN, "format": "png"}],
        {**CROPPED, "explain_layer": "layer"},
    ),
    "detector": TinyArchive(
        ObjectDetector,
        CLASS % DETECTOR,
        [*PHOTOS, {"data": GREEN, "format": "coco"}, {"data": GREEN, "format": "overlay"}],
        {"threshold": 0.2},
    ),
    "text": TinyArchive(
        TextClassifier,
        BAG,
        [{"data": "The rain."}, {"body": b"Sun, sun"}, {"data": "rain sun", "topk": 1}],
        {},
    ),
}
