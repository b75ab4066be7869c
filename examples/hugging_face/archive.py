"""Trains a BERT to tell topics of news, and packs the folder that transformers saves into minilm_news.mar."""

from __future__ import annotations

import tempfile
from pathlib import Path

from examples.assets import MINILM, REUTERS_TRAIN, fetch_all
from examples.building import build, pack
from examples.hugging_face.train import train
from examples.text_classifier.archive import TOPICS, read_documents


def build_archive(export_path: Path) -> Path:
    """Trains the model, and builds minilm_news.mar in a folder.

    Raises:
        AssetError: if the encoder or the documents are not in the cache and cannot be downloaded.
    """
    saved, documents = fetch_all([MINILM, REUTERS_TRAIN])
    texts, topics = read_documents(documents)
    with tempfile.TemporaryDirectory() as folder:
        train(saved, texts, topics, TOPICS, Path(folder))
        return pack(export_path, "minilm_news", "text_classifier", extra_files=[Path(folder) / "classifier"])


def main() -> int:
    """Builds what the command line asks for."""
    return build(build_archive, __doc__)
