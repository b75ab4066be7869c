"""The form that a model computes in: its weights, its inputs, and its outputs brought back."""

from __future__ import annotations

from collections import namedtuple

import pytest
import torch

from ts.handler_utils.models.inputs import InputForm, adapt_model

IMAGES = torch.rand(2, 3, 4, 5)


class Spy(torch.nn.Module):
    """Returns what it was given, and remembers its dtype and layout."""

    def __init__(self, answer=lambda value: value) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 3, 3)
        self.answer = answer

    def forward(self, value, *others):
        self.seen = value
        return self.answer(value)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_and_inputs_are_of_the_precision_and_outputs_of_float32(dtype):
    model = adapt_model(Spy(), InputForm(dtype))
    output = model(IMAGES)
    assert model.layer.weight.dtype == dtype
    assert model.seen.dtype == dtype
    assert output.dtype == torch.float32
    assert torch.allclose(output, IMAGES, atol=4e-3)


def test_indexes_stay_whole_numbers():
    model = adapt_model(Spy(), InputForm(torch.bfloat16))
    indexes = torch.tensor([70_001])
    assert model(indexes).tolist() == [70_001]
    assert model.seen.dtype == torch.int64


def test_images_are_laid_out_with_their_channels_last():
    model = adapt_model(Spy(), InputForm(channels_last=True))
    assert torch.equal(model(IMAGES), IMAGES)
    assert model.seen.is_contiguous(memory_format=torch.channels_last)
    assert model.layer.weight.is_contiguous(memory_format=torch.channels_last)


Pair = namedtuple("Pair", ["boxes", "count"])


def test_outputs_of_every_structure_are_brought_back():
    def answer(value):
        return {"out": value, "all": [value, (value, Pair(value, 3))], "name": "x"}

    output = adapt_model(Spy(answer), InputForm(torch.bfloat16))(IMAGES)
    pair = output["all"][1][1]
    tensors = [output["out"], output["all"][0], output["all"][1][0], pair.boxes]
    assert [tensor.dtype for tensor in tensors] == [torch.float32] * 4
    assert (pair.count, output["name"]) == (3, "x")


def test_lists_of_images_are_prepared_one_by_one():
    model = adapt_model(Spy(lambda images: images[0]), InputForm(torch.bfloat16))
    assert model([IMAGES[0], IMAGES[1]]).dtype == torch.float32
    assert [image.dtype for image in model.seen] == [torch.bfloat16] * 2


def test_a_model_is_left_alone_where_no_form_is_asked_for():
    def model() -> None:
        """No module at all."""

    assert adapt_model(model, InputForm()) is model


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ValueError, match=r"handler\.precision .* settled when it was exported \(function\)"):
        adapt_model(lambda value: value, InputForm(torch.float16))
