"""Explanations where the extra is not installed."""

from __future__ import annotations

import sys

import pytest
from tiny_archives import TINY

from ts.torch_handler.image_classifier import ImageClassifier


@pytest.fixture
def without_captum(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "captum"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "captum", None)


def test_without_captum_an_explanation_is_a_501_that_names_the_package(
    without_captum, make_context, tmp_path
):
    archive = TINY["classifier"]
    context = make_context(
        archive.write(tmp_path),
        config={"handler": archive.settings},
        modelFile="model.py",
        headers={0: {"explain": "True"}},
    )
    handler = ImageClassifier()
    handler.initialize(context)
    explained, predicted = handler.handle(archive.rows[:2], context)
    assert context.statuses == {0: 501}
    assert explained["message"] == "Explanations need captum: pip install 'torchserve-handlers[explain]'"
    assert sum(predicted.values()) == pytest.approx(1)
