"""The image_classifier example builds an archive that TorchServe and this library take."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

from examples.assets import COFFEE, Asset
from examples.image_classifier.archive import build_archive
from ts.runner import load_archive


def read_json(archive: Path, member: str) -> Any:
    with zipfile.ZipFile(archive) as opened:
        return json.loads(opened.read(member))


def test_the_archive_names_the_default_handler(efficientnet_lite0: Path) -> None:
    model = read_json(efficientnet_lite0, "MAR-INF/MANIFEST.json")["model"]
    assert model["handler"] == "image_classifier"
    assert model["modelFile"] == "model.py"
    assert model["serializedFile"] == "efficientnet_lite0.pt"


def test_the_archive_holds_the_label_of_each_class(efficientnet_lite0: Path) -> None:
    labels = read_json(efficientnet_lite0, "index_to_name.json")
    assert list(labels) == [str(index) for index in range(1000)]
    assert labels["281"] == "tabby"
    assert labels["967"] == "espresso"


@pytest.mark.usefixtures("efficientnet_lite0")
def test_an_older_archive_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "efficientnet_lite0.mar").write_bytes(b"an older archive")
    assert zipfile.is_zipfile(build_archive(tmp_path))


def test_the_runner_answers_a_photo(efficientnet_lite0: Path, fetch_or_skip: Callable[[Asset], Path]) -> None:
    with load_archive(efficientnet_lite0, device="cpu") as model:
        [answer] = model.predict([fetch_or_skip(COFFEE)])
    assert answer.status == 200
    assert list(answer.response) == ["espresso", "cup", "coffee mug", "soup bowl", "eggnog"]
    assert answer.response["espresso"] == pytest.approx(0.843, abs=2e-3)
