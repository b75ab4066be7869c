"""Trains a classifier of Reuters news on eight topics, and packs it into reuters_r8.mar."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import torch

from examples.assets import REUTERS_TEST, REUTERS_TRAIN, fetch_all
from examples.building import build, pack
from examples.text_classifier.model import VOCABULARY_SIZE, TopicClassifier
from examples.text_classifier.train import count_vocabulary, fit

HERE = Path(__file__).resolve().parent
TOPICS = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
EPOCHS = 10
HEADER_LINES = 3  # of Orange's .tab files: names, types, roles


def read_documents(path: Path) -> tuple[list[str], list[int]]:
    """The texts of a .tab file, and the index in TOPICS of each one's topic."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [line for line in lines[HEADER_LINES:] if line]
    return [text for _, text in rows], [TOPICS.index(topic) for topic, _ in rows]


def build_archive(export_path: Path) -> Path:
    """Trains the model, and builds reuters_r8.mar in a folder.

    Raises:
        AssetError: if the documents are not in the cache and cannot be downloaded.
    """
    train, _ = fetch_all([REUTERS_TRAIN, REUTERS_TEST])
    texts, topics = read_documents(train)
    torch.manual_seed(0)
    vocabulary = count_vocabulary(texts, VOCABULARY_SIZE)
    model = TopicClassifier()
    fit(model, vocabulary, texts, topics, EPOCHS)
    with tempfile.TemporaryDirectory() as folder:
        weights, tokens = Path(folder) / "reuters_r8.pt", Path(folder) / "source_vocab.pt"
        torch.save(model.state_dict(), weights)
        torch.save(dict(vocabulary), tokens)
        return pack(
            export_path,
            "reuters_r8",
            "text_classifier",
            model_file=HERE / "model.py",
            weights=weights,
            labels=dict(enumerate(TOPICS)),
            config_file=HERE / "model-config.yaml",
            extra_files=[tokens],
        )


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__)
