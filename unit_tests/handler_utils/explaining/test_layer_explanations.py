"""Grad-CAM, on networks whose answer can be worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.explaining.layer_explanations import class_activation, find_layer


class TwoChannels(nn.Module):
    """The score is the sum of red minus the sum of green."""

    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(2, 2, 1, bias=False)
        self.features.weight = nn.Parameter(torch.eye(2)[:, :, None, None])
        self.pooled = nn.Flatten()

    def forward(self, image):
        features = self.features(image)
        self.pooled(features)
        return features[:, 0].sum() - features[:, 1].sum()


def test_the_parts_that_raise_the_score_are_found():
    image = torch.zeros(1, 2, 2, 2)
    image[0, 0, 0, 0] = 2.0  # raises the score
    image[0, 0, 1, 1] = 1.0
    image[0, 1, 0, 1] = 5.0  # lowers it
    model = TwoChannels()
    found = class_activation(lambda: model(image), find_layer(model, "features"), (2, 2))
    assert found.tolist() == [[1.0, 0.0], [0.0, 0.5]]
    assert class_activation(lambda: model(image), model.features, (8, 6)).shape == (8, 6)


def test_nothing_raises_the_score_of_a_black_image():
    model = TwoChannels()
    assert class_activation(lambda: model(torch.zeros(1, 2, 2, 2)), model.features, (2, 2)).sum() == 0


def test_it_works_where_gradients_are_off():
    model = TwoChannels()
    with torch.no_grad():
        found = class_activation(lambda: model(torch.ones(1, 2, 2, 2)), model.features, (2, 2))
    assert found.tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("feature", "the model has no layer 'feature'; the nearest are features"),
        ("", "the model has no layer ''"),
    ],
)
def test_a_layer_that_is_not_there_is_said_with_the_nearest(layer, message):
    with pytest.raises(ValueError, match=message):
        find_layer(TwoChannels(), layer)


def test_a_torchscript_model_is_refused():
    with pytest.raises(ValueError, match="only an eager model"):
        find_layer(torch.jit.trace(nn.ReLU(), torch.zeros(1)), "features")


def test_a_layer_of_another_kind_is_said():
    model = TwoChannels()
    with pytest.raises(InvalidInput, match="no tensor") as raised:
        class_activation(lambda: model(torch.zeros(1, 2, 2, 2)), model.pooled, (2, 2))
    assert raised.value.error_code == 400


def test_a_score_that_does_not_depend_on_the_layer_is_said():
    model = TwoChannels()
    with pytest.raises(InvalidInput, match="does not depend"):
        class_activation(lambda: model(torch.zeros(1, 2, 2, 2)).detach(), model.features, (2, 2))
