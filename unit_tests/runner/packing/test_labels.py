"""Labels as people have them."""

from __future__ import annotations

import json

import pytest
from torchvision.models import ResNet18_Weights

from ts.runner.errors import ArchiveError
from ts.runner.packing.labels import check_count, read_labels

PETS = {"0": "cat", "1": "dog"}


@pytest.mark.parametrize(
    "labels",
    [
        ["cat", "dog"],
        ("cat", "dog"),
        {0: "cat", 1: "dog"},
        {"1": "dog", "0": "cat"},
        {"cat": 0, "dog": 1},
    ],
)
def test_labels_in_python(labels):
    assert read_labels(labels) == PETS
    assert list(read_labels(labels)) == ["0", "1"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.txt", "cat\ndog\n"),
        ("labels.txt", "\ufeffcat\r\ndog\r\n\r\n"),
        ("labels.json", json.dumps(PETS)),
        ("labels.json", json.dumps(["cat", "dog"])),
        ("labels.json", json.dumps({"cat": 0, "dog": 1})),
        ("config.json", json.dumps({"id2label": PETS})),
    ],
)
def test_labels_in_a_file(name, text, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_labels(tmp_path / name) == PETS
    assert read_labels(str(tmp_path / name)) == PETS


def test_labels_of_torchvisions_weights():
    assert read_labels(ResNet18_Weights.DEFAULT)["999"] == "toilet tissue"
    assert read_labels(None) is None


@pytest.mark.parametrize(("labels", "classes"), [(PETS, 2), ({"1": "dog"}, 5), (PETS, None), ({}, 3)])
def test_labels_that_may_be_a_models(labels, classes):
    check_count(labels, classes)


@pytest.mark.parametrize(
    ("labels", "classes", "kind", "message"),
    [
        (PETS, 3, "image_classifier", "there are 2 labels, and the model has 3 classes$"),
        ({"7": "dog"}, 3, "image_classifier", "there are 1 labels, and the model has 3 classes$"),
        (PETS, 3, "object_detector", "class 0 of torchvision's detectors is the background: label it too"),
    ],
)
def test_labels_that_cannot_be_a_models(labels, classes, kind, message):
    with pytest.raises(ArchiveError, match=message):
        check_count(labels, classes, kind)


def test_a_file_that_holds_none_is_refused(tmp_path):
    (tmp_path / "labels.json").write_text('{"a": [}')
    with pytest.raises(ArchiveError, match=r"the labels .*labels\.json: "):
        read_labels(tmp_path / "labels.json")
