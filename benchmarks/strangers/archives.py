"""The archives that strangers ask: each handler with a network so small that the handler's own cost is seen."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import torch

CLASSES = 21
_NETWORK = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
%s
"""
DOUBLER = (
    _NETWORK
    % """
    def forward(self, numbers):
        return numbers * 2"""
)
CLASSIFIER = (
    _NETWORK
    % f"""
        self.layer = nn.Conv2d(3, {CLASSES}, 1, stride=16)

    def forward(self, images):
        return self.layer(images).mean((2, 3))"""
)
SEGMENTER = (
    _NETWORK
    % f"""
        self.layer = nn.Conv2d(3, {CLASSES}, 1, stride=4)

    def forward(self, images):
        logits = nn.functional.interpolate(self.layer(images), images.shape[2:])
        return {{"out": logits}}"""
)
# Boxes of all sizes, some far beyond the photo: as many as torchvision's detectors return at most.
DETECTOR = (
    _NETWORK
    % """
        self.layer = nn.Conv2d(3, 4, 1, stride=16)

    def forward(self, images):
        return [self.detect(image) for image in images]

    def detect(self, image):
        score = self.layer(image[None]).mean().sigmoid()
        start, end = torch.arange(100.0) - 5, 3.0 ** torch.arange(100.0).clamp(max=18)
        return {
            "boxes": torch.stack([start, start, end + 100, end + 100], dim=1),
            "labels": torch.arange(100) % 3,
            "scores": torch.linspace(0.99, 0.5, 100) + 0 * score,
        }"""
)
BAG = (
    _NETWORK
    % f"""
        self.embedding = nn.EmbeddingBag(5, 16)
        self.head = nn.Linear(16, {CLASSES})

    def forward(self, text, offsets):
        return self.head(self.embedding(text, offsets))"""
)
TRANSFORMER = (
    _NETWORK
    % f"""
        self.embedding = nn.Embedding(64, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.head = nn.Linear(16, {CLASSES})

    def forward(self, input_ids, attention_mask):
        hidden = self.layer(self.embedding(input_ids), src_key_padding_mask=attention_mask == 0)
        return self.head(hidden[:, 0])"""
)
VOCABULARY = {"<unk>": 0, "a": 1, "the": 2, "rain": 3, "the rain": 4}


@dataclass(frozen=True)
class Way:
    """One way of asking a handler.

    Attributes:
        name: what the tables call it.
        options: of the request, by name.
        explain: whether an explanation is asked for.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    explain: bool = False


@dataclass(frozen=True)
class Archive:
    """A handler, its network, what it reads, and the ways of asking it.

    Attributes:
        name: what the tables call it.
        handler: of the manifest.
        network: the source of its model file.
        reads: "images", "texts" or "numbers".
        ways: the first one is asked about everything, the others about what costs most.
        settings: the section `handler:` of its model-config.yaml.
        seconds: of CPU that a request may take.
        megabytes: that a request may take above the worker's rest.
        envelope: whether its requests come through torchserve's request envelope.
    """

    name: str
    handler: str
    network: str
    reads: str
    ways: tuple[Way, ...] = (Way("predict"),)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 1.0
    megabytes: float = 300.0
    envelope: bool = False

    def write(self, folder: Path) -> dict[str, str]:
        """Writes its files into a folder, and returns the section `model` of its manifest."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "network.py").write_text(self.network)
        labels = {str(index): f"class {index}" for index in range(CLASSES)}
        (folder / "index_to_name.json").write_text(json.dumps(labels))
        if self.network == TRANSFORMER:
            write_tokenizer(folder / "tokenizer.json")
        else:
            torch.save(VOCABULARY, folder / "source_vocab.pt")
        return {"modelName": "strangers", "handler": self.handler, "modelFile": "network.py"}

    def lacks(self) -> Optional[str]:
        """What must be installed to try it; None if all is."""
        if self.network == TRANSFORMER and importlib.util.find_spec("tokenizers") is None:
            return "tokenizers"
        return "torchserve" if self.envelope and not has_envelopes() else None


def has_envelopes() -> bool:
    return importlib.util.find_spec("ts.torch_handler.request_envelope") is not None


def write_tokenizer(path: Path) -> None:
    """A WordPiece tokenizer of letters, which has no limit of its own."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    letters = "abcdefghijklmnopqrstuvwxyz"
    subwords = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {subword: index for index, subword in enumerate(subwords)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(path))


BY_LAYER = {"explain_layer": "layer"}
EXPLAINED = (Way("explain", explain=True), Way("explain, drawn", {"format": "overlay"}, explain=True))
ARCHIVES = (
    Archive("base", "base_handler", DOUBLER, "numbers"),
    Archive(
        "classifier",
        "image_classifier",
        CLASSIFIER,
        "images",
        (
            Way("predict"),
            Way("explain", explain=True),
            Way("explain, drawn", {"format": "heatmap"}, explain=True),
        ),
    ),
    Archive(
        "segmenter",
        "image_segmenter",
        SEGMENTER,
        "images",
        (
            Way("predict"),
            *(Way(kind, {"format": kind}) for kind in ("png", "rle", "overlay")),
            *(
                Way(f"{kind}, original", {"format": kind, "size": "original"})
                for kind in ("json", "png", "rle")
            ),
            *EXPLAINED,
        ),
        BY_LAYER,
    ),
    Archive(
        "detector",
        "object_detector",
        DETECTOR,
        "images",
        (Way("predict"), *(Way(kind, {"format": kind}) for kind in ("coco", "overlay")), *EXPLAINED),
        BY_LAYER,
        seconds=2.0,
        megabytes=1000.0,
    ),
    Archive("bag", "text_classifier", BAG, "texts", (Way("predict"), Way("explain", explain=True))),
    Archive(
        "transformer", "text_classifier", TRANSFORMER, "texts", (Way("predict"), Way("explain", explain=True))
    ),
    Archive("base, json envelope", "base_handler", DOUBLER, "numbers", envelope=True),
    Archive("classifier, json envelope", "image_classifier", CLASSIFIER, "images", envelope=True),
    Archive(
        "segmenter, json envelope",
        "image_segmenter",
        SEGMENTER,
        "images",
        (Way("predict"), Way("png, original", {"format": "png", "size": "original"})),
        envelope=True,
    ),
    Archive(
        "detector, json envelope",
        "object_detector",
        DETECTOR,
        "images",
        envelope=True,
        seconds=2.0,
        megabytes=1000.0,
    ),
    Archive("bag, json envelope", "text_classifier", BAG, "texts", envelope=True),
    Archive("transformer, json envelope", "text_classifier", TRANSFORMER, "texts", envelope=True),
)
