"""The text_classifier example trains a model that names the topics of Reuters news."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from examples.assets import AssetError
from examples.text_classifier.build import TOPICS, build_archive, measure


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build_archive(tmp_path_factory.mktemp("reuters_r8"))
    except AssetError as error:
        pytest.skip(f"the documents are not in the cache and cannot be fetched: {error}")


def test_the_archive_names_the_default_handler_and_the_vocabulary(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        model = json.loads(opened.read("MAR-INF/MANIFEST.json"))["model"]
        labels = json.loads(opened.read("index_to_name.json"))
    assert model["handler"] == "text_classifier"
    assert model["sourceVocab"] == "source_vocab.pt"
    assert list(labels.values()) == list(TOPICS)


def test_the_archive_is_right_on_19_of_20_test_documents(archive: Path) -> None:
    assert measure(archive) >= 0.95
