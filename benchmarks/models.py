"""The networks of the benchmarks: torchvision's own with random weights, made to say something definite."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision import models

from benchmarks.detecting.definite import DEVIATION, sharpen
from benchmarks.inputs import WORDS

MODEL_FILE = """
from torch import nn
from torchvision.models import get_model

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = get_model({name!r}, **{arguments!r})

    def forward(self, images):
        return self.model(images)
"""
BAG_FILE = """
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag({words}, 64)
        self.fc = nn.Linear(64, {classes})

    def forward(self, text, offsets):
        return self.fc(self.embedding(text, offsets))
"""
NEWS = ["World", "Sports", "Business", "Sci/Tech"]
DETECTING = 2  # photos are enough for what a detector sees in many places
VOCABULARY = 30_522  # BERT's; the texts have few of it
LONGEST = 512  # tokens of a text


@dataclass(frozen=True)
class Network:
    """A model of torchvision, and how it is packed.

    Attributes:
        name: torchvision's.
        handler: the default handler that answers with it.
        arguments: of torchvision's builder.
        torchscript: traced, rather than a model file and a state dict.
    """

    name: str
    handler: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    torchscript: bool = False


@dataclass(frozen=True)
class Unpacked:
    """An archive that lies unpacked in a folder, with the `model` section of its manifest."""

    folder: Path
    manifest: dict[str, Any]


def write_network(network: Network, folder: Path, seed: int, photos: list[bytes]) -> Unpacked:
    """Builds a network, and writes what its archive would hold into a folder.

    Args:
        network: the network.
        folder: made if need be.
        seed: of the weights.
        photos: JPEGs of the kind that it is going to see.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    arguments = {"weights": None, **network.arguments}
    model = models.get_model(network.name, **arguments)
    make_definite(model, network.handler, photos)
    manifest = {"modelName": network.name, "handler": network.handler, "modelVersion": "1.0"}
    if network.torchscript:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates TorchScript
            torch.jit.trace(model, torch.rand(1, 3, 224, 224)).save(str(folder / "model.pt"))
    else:
        (folder / "network.py").write_text(MODEL_FILE.format(name=network.name, arguments=arguments))
        torch.save({f"model.{key}": value for key, value in model.state_dict().items()}, folder / "model.pt")
        manifest["modelFile"] = "network.py"
    write_labels(folder, [f"class {index}" for index in range(1000)])
    return Unpacked(folder, {**manifest, "serializedFile": "model.pt"})


def write_bag_of_words(vocabulary: dict[str, int], folder: Path, seed: int) -> Unpacked:
    """A linear model of n-grams, as torchserve's example for AG_NEWS has it."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    state = {
        "embedding.weight": torch.randn(len(vocabulary), 64),
        "fc.weight": torch.randn(len(NEWS), 64),
        "fc.bias": torch.zeros(len(NEWS)),
    }
    torch.save(state, folder / "model.pt")
    torch.save(vocabulary, folder / "source_vocab.pt")
    (folder / "network.py").write_text(BAG_FILE.format(words=len(vocabulary), classes=len(NEWS)))
    write_labels(folder, NEWS)
    manifest = {"modelName": "news", "handler": "text_classifier", "modelVersion": "1.0"}
    return Unpacked(folder, {**manifest, "modelFile": "network.py", "serializedFile": "model.pt"})


def write_transformer(folder: Path, seed: int) -> Unpacked:
    """A BERT of MiniLM's size with random weights, saved as transformers saves it."""
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=LONGEST,
        id2label=dict(enumerate(NEWS)),
    )
    model = BertForSequenceClassification(config).eval()
    tokenizer = word_tokenizer()
    words = tokenizer.get_vocab_size()
    with torch.no_grad():
        logits = model(torch.randint(4, words, (64, 32))).logits
    scale_head([model.classifier], logits)
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=LONGEST, pad_token="[PAD]"
    ).save_pretrained(folder)
    return Unpacked(folder, {"modelName": "bert", "handler": "text_classifier", "modelVersion": "1.0"})


def word_tokenizer() -> Any:
    """A tokenizer as BERT's, of the words of which texts are made."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(word.lower() for word in WORDS)]
    tokenizer = Tokenizer(
        models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def write_labels(folder: Path, labels: list[str]) -> None:
    (folder / "index_to_name.json").write_text(json.dumps(dict(enumerate(labels))))


# Random weights ----------------------------------------------------------------------------------------------


def make_definite(model: nn.Module, handler: str, photos: list[bytes]) -> None:
    """Gives a random network finite activations, and outputs that differ from photo to photo."""
    images = [decode(photo) for photo in photos]
    if handler == "object_detector":
        take_statistics(model, images[:DETECTING])
        sharpen(model, images[:DETECTING])
        return
    batch = torch.stack([(image - 0.45) / 0.23 for image in images])
    take_statistics(model, batch)
    with torch.no_grad():
        output = model(batch)
    scale_head(head_of(model), output["out"] if isinstance(output, dict) else output)


def scale_head(heads: list[Any], logits: torch.Tensor) -> None:
    """Scales the layers whose sum is the logits, so that these have mean 0 in each class, and differ enough."""
    mean = logits.mean(dim=[0, *range(2, logits.dim())], keepdim=True)
    scale = DEVIATION / (logits - mean).std()
    for head in heads:
        head.weight.data *= scale
        head.bias.data = (head.bias.data - mean.flatten() / len(heads)) * scale


def decode(photo: bytes) -> torch.Tensor:
    image = Image.open(io.BytesIO(photo)).resize((224, 224))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255


def take_statistics(model: nn.Module, images: Any) -> None:
    """Sets the mean and variance of every batch norm to those of its input, as training would.

    Its bias becomes 1, so that most units are active: otherwise a random network is chaotic, and blows a pixel's
    rounding up to a hundred times what a trained one does.

    Args:
        model: is in its evaluation mode then, which a detector needs for this, too.
        images: what it takes.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.train()
        norm.momentum = None  # the plain mean of all batches
        norm.reset_running_stats()
        norm.bias.data.fill_(1)
    with torch.no_grad():
        model(images)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    model.eval()


def head_of(model: Any) -> list[Any]:
    """The layers whose sum is the logits."""
    classifier: Optional[Any] = getattr(model, "classifier", None)
    if classifier is None:
        return [model.fc]
    if hasattr(classifier, "low_classifier"):
        return [classifier.low_classifier, classifier.high_classifier]
    return [classifier[-1]]
