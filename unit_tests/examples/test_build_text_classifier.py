"""The text_classifier example trains a model that names the topics of Reuters news."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Callable

import pytest

from examples.text_classifier.archive import TOPICS
from examples.text_classifier.example import EXAMPLE
from examples.text_classifier.measuring import measure


@pytest.fixture(scope="module")
def archive(show: Callable[..., object]) -> Path:
    show(EXAMPLE)
    return EXAMPLE.archive


def test_the_archive_names_the_default_handler_and_the_vocabulary(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        model = json.loads(opened.read("MAR-INF/MANIFEST.json"))["model"]
        labels = json.loads(opened.read("index_to_name.json"))
    assert model["handler"] == "text_classifier"
    assert model["sourceVocab"] == "source_vocab.pt"
    assert list(labels.values()) == list(TOPICS)


def test_the_archive_is_right_on_19_of_20_test_documents(archive: Path) -> None:
    assert measure(archive) >= 0.95
