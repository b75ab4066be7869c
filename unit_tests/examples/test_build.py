"""The image_classifier example builds an archive that TorchServe and this library take."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

from examples.assets import COFFEE, EFFICIENTNET_LITE0, Asset
from examples.image_classifier.build import build_archive
from ts.runner import load_archive

FetchOrSkip = Callable[[Asset], Path]


@pytest.fixture(scope="module")
def archive(fetch_or_skip: FetchOrSkip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    fetch_or_skip(EFFICIENTNET_LITE0)
    return build_archive(tmp_path_factory.mktemp("example") / "model_store")


def read_json(archive: Path, member: str) -> Any:
    with zipfile.ZipFile(archive) as opened:
        return json.loads(opened.read(member))


def test_the_archive_names_the_default_handler(archive: Path) -> None:
    model = read_json(archive, "MAR-INF/MANIFEST.json")["model"]
    assert model["handler"] == "image_classifier"
    assert model["modelFile"] == "model.py"
    assert model["serializedFile"] == "efficientnet_lite0.pt"


def test_the_archive_holds_the_label_of_each_class(archive: Path) -> None:
    labels = read_json(archive, "index_to_name.json")
    assert list(labels) == [str(index) for index in range(1000)]
    assert labels["281"] == "tabby"
    assert labels["967"] == "espresso"


def test_an_older_archive_is_replaced(archive: Path) -> None:
    assert build_archive(archive.parent) == archive


def test_the_runner_answers_a_photo(archive: Path, fetch_or_skip: FetchOrSkip) -> None:
    with load_archive(archive, device="cpu") as model:
        [answer] = model.predict([fetch_or_skip(COFFEE)])
    assert answer.status == 200
    assert list(answer.response) == ["espresso", "cup", "coffee mug", "soup bowl", "eggnog"]
    assert answer.response["espresso"] == pytest.approx(0.843, abs=2e-3)
