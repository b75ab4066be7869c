"""Trains the last layer of a BERT on news, and saves it as transformers saves models."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import AutoTokenizer, BertForSequenceClassification

from examples.steps import ProgressLine

A_TOPIC = 60  # documents that are learnt from
WORDS = 128  # tokens of a document
ROWS = 32
WEIGHT_DECAY = 1e-3


def train(
    saved: Path, texts: Sequence[str], topics: Sequence[int], names: Sequence[str], folder: Path
) -> None:
    """Makes a classifier of a sentence encoder, and saves it with its tokenizer.

    Args:
        saved: a zip file of the encoder's folder.
        texts: what to learn from.
        topics: of each text, its index in `names`.
        names: of the topics.
        folder: where the classifier is saved.
    """
    with zipfile.ZipFile(saved) as file:
        file.extractall(folder / "encoder")
    tokenizer = AutoTokenizer.from_pretrained(folder / "encoder")
    labels = dict(enumerate(names))
    model = BertForSequenceClassification.from_pretrained(
        folder / "encoder", id2label=labels, label2id={name: index for index, name in labels.items()}
    ).eval()
    nn.init.eye_(model.bert.pooler.dense.weight)  # the encoder was trained without this layer
    nn.init.zeros_(model.bert.pooler.dense.bias)
    chosen = some_of_each(topics)
    features = encoded(model, tokenizer, [texts[index] for index in chosen])
    fit(model.classifier, features, torch.tensor([topics[index] for index in chosen]))
    model.save_pretrained(folder / "classifier")
    tokenizer.model_max_length = WORDS
    tokenizer.save_pretrained(folder / "classifier")


def some_of_each(topics: Sequence[int]) -> list[int]:
    """The indexes of at most `A_TOPIC` documents of each topic."""
    drawn = random.Random(0)
    by_topic = [
        [index for index, found in enumerate(topics) if found == topic] for topic in sorted(set(topics))
    ]
    return [index for found in by_topic for index in drawn.sample(found, min(A_TOPIC, len(found)))]


@torch.no_grad()
def encoded(model: BertForSequenceClassification, tokenizer: object, texts: Sequence[str]) -> torch.Tensor:
    """What the last layer gets of each text, [N, D]."""
    progress, parts = ProgressLine(f"encode {len(texts):,} texts"), []
    for start in range(0, len(texts), ROWS):
        progress.show(f"{start:,} of {len(texts):,}")
        inputs = tokenizer(  # type: ignore[operator]
            list(texts[start : start + ROWS]),
            padding=True,
            truncation=True,
            max_length=WORDS,
            return_tensors="pt",
        )
        parts.append(model.bert(**inputs).pooler_output)
    progress.finish("ok")
    return torch.cat(parts)


def fit(layer: nn.Linear, features: torch.Tensor, topics: torch.Tensor) -> None:
    """Logistic regression, by L-BFGS."""
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        error = nn.functional.cross_entropy(layer(features), topics)
        error = error + WEIGHT_DECAY * layer.weight.square().sum()
        error.backward()
        return error

    optimizer.step(loss)
