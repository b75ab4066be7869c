"""A vector, scaled and written as its client wants it."""

from __future__ import annotations

import base64
import struct

import pytest
import torch

from ts.handler_utils.embedding.answers import encoded, finished
from ts.handler_utils.errors import ModelFault


def test_a_vector_is_scaled_to_length_one_or_left():
    assert finished(torch.tensor([3.0, 4.0]), normalize=True).tolist() == pytest.approx([0.6, 0.8])
    assert finished(torch.tensor([3.0, 4.0]), normalize=False).tolist() == [3.0, 4.0]


def test_large_and_small_numbers_are_scaled_too():
    for size in (1e30, 1e-20):
        scaled = finished(torch.tensor([3.0, 4.0]) * size, normalize=True)
        assert scaled.tolist() == pytest.approx([0.6, 0.8] if size > 1 else [3e-8, 4e-8])
    assert finished(torch.zeros(2), normalize=True).tolist() == [0.0, 0.0]


def test_nan_is_no_answer():
    for value in (float("nan"), float("inf")):
        with pytest.raises(ModelFault, match="not finite"):
            finished(torch.tensor([1.0, value]), normalize=True)


def test_formats():
    vector = torch.tensor([0.5, -2.0])
    content = struct.pack("<2f", 0.5, -2.0)
    assert encoded(vector, "json") == ([0.5, -2.0], None)
    assert encoded(vector, "float32") == (content, "application/octet-stream")
    assert encoded(vector, "base64") == (base64.b64encode(content).decode(), "text/plain")
