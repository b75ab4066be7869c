"""A classifier of real news, trained, packed by torch-model-archiver, and asked through the runner."""

from __future__ import annotations

import csv
import importlib.util
import json

import pytest
import torch
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

from examples.text_classifier.train import count_vocabulary, fit
from ts.runner import load_archive

NETWORK = """
from torch import nn

class NewsClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(500_000, 64, sparse=True)
        self.dropout = nn.Dropout()
        self.fc = nn.Linear(64, 4)

    def forward(self, text, offsets=None):
        return self.fc(self.dropout(self.embedding(text, offsets)))
"""
TOPICS = ["World", "Sports", "Business", "Sci/Tech"]


def read_news(path):
    with path.open(encoding="utf-8", newline="") as file:
        # The corpus has backslashes for line breaks, and "#39;" for what was an entity.
        rows = [[field.replace("\\", " ").replace(" #39;", "'") for field in row] for row in csv.reader(file)]
    return [" ".join(row[1:]) for row in rows], [int(row[0]) - 1 for row in rows]


@pytest.fixture
def archive(shared_data, tmp_path):
    (tmp_path / "news_model.py").write_text(NETWORK)
    spec = importlib.util.spec_from_file_location("news_model", tmp_path / "news_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    texts, topics = read_news(shared_data / "ag_news" / "train.csv")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = module.NewsClassifier()
        vocabulary = count_vocabulary(texts, 500_000)
        fit(model, vocabulary, texts, topics, epochs=5)
    torch.save(model.state_dict(), tmp_path / "news.pt")
    torch.save(dict(vocabulary), tmp_path / "source_vocab.pt")
    (tmp_path / "index_to_name.json").write_text(json.dumps(dict(enumerate(TOPICS))))
    config = ModelArchiverConfig(
        model_name="ag_news",
        version="1.0",
        handler="text_classifier",
        model_file=str(tmp_path / "news_model.py"),
        serialized_file=str(tmp_path / "news.pt"),
        extra_files=f"{tmp_path / 'source_vocab.pt'},{tmp_path / 'index_to_name.json'}",
        export_path=str(tmp_path),
    )
    generate_model_archive(config)
    return tmp_path / "ag_news.mar"


def test_news_of_the_test_file_are_classified_in_batches_of_32(archive, shared_data):
    texts, topics = read_news(shared_data / "ag_news" / "test.csv")
    with load_archive(archive, device="cpu") as model:
        answers = model.predict(texts, batch_size=32)
    assert {answer.status for answer in answers} == {200}
    right = sum(
        max(answer.response, key=answer.response.get) == TOPICS[topic]
        for answer, topic in zip(answers, topics)
    )
    assert right / len(texts) >= 0.89
