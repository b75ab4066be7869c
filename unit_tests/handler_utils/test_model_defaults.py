"""What a loader knows of a model is used where the archive and its settings say nothing else."""

from __future__ import annotations

import json

import pytest
import torch

from ts.handler_utils.model_defaults import ModelDefaults
from ts.torch_handler.image_classifier import ImageClassifier


class KnowsItsModel(ImageClassifier):
    def _load_pickled_model(self, model_dir, model_file, model_pt_path):
        defaults = ModelDefaults.of(self)
        defaults.transform = {"resize": 40, "crop": 32, "mean": (0.5, 0.5, 0.5)}
        defaults.labels = {"0": "cat", "1": "dog"}
        return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())


@pytest.fixture
def loaded(tmp_path, make_context):
    def load(settings=None):
        handler = KnowsItsModel()
        config = {"handler": settings} if settings else None
        handler.initialize(make_context(tmp_path, config=config, modelFile="model.py"))
        return handler

    return load


def test_a_models_own_transform_and_labels_are_taken(loaded):
    handler = loaded()
    assert handler.image_processing.resize == 40
    assert handler.image_processing.shape == (3, 32, 32)
    assert handler.image_processing.std == ImageClassifier.image_processing.std
    assert handler.mapping == {"0": "cat", "1": "dog"}


def test_settings_and_the_archives_labels_win(loaded, tmp_path):
    (tmp_path / "index_to_name.json").write_text(json.dumps({"0": "Katze"}))
    handler = loaded({"crop": 24})
    assert (handler.image_processing.resize, handler.image_processing.crop) == (40, 24)
    assert handler.mapping == {"0": "Katze"}
