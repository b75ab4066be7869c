"""What TorchServe makes of results: how many bytes, and whether they are JSON at all."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import torch

from ts.handler_utils.answering.results import sendable


@pytest.mark.parametrize(
    "result",
    [
        {"cat": 0.5, "dog": 1e-7},
        [1, 2, 3],
        [[[0.25] * 7] * 5] * 3,
        [{"person": [1.5, 2, 3, 4], "score": 0.9}] * 9,
        {"é\U0001f600\n": 'é\U0001f600"', "none": None, "yes": True, "empty": [[], {}]},
        {1: 10**30},
        [10**30],
        "text é",
        b"\x89PNG",
        bytearray(9),
        7,
        0.1,
    ],
)
def test_the_size_near_a_limit_is_what_torchserve_sends(result: Any) -> None:
    sent, size = sendable(result, most_bytes=1)
    assert sent == result
    assert size == len(as_torchserve_sends(result))


def as_torchserve_sends(result: Any) -> bytes:
    if isinstance(result, (bytes, bytearray)):
        return bytes(result)
    return result.encode() if isinstance(result, str) else json.dumps(result, indent=2).encode()


def test_the_size_of_a_tensor_is_that_of_its_values() -> None:
    sent, size = sendable(torch.zeros(1000), most_bytes=1)
    file = io.BytesIO()
    torch.save(sent, file)
    assert size == 4000 < len(file.getvalue()) < 6000


@pytest.mark.parametrize(
    "result", [float("nan"), [float("inf")], {"a": [{"b": -float("inf")}]}, np.array([np.nan]), "\ud800"]
)
def test_what_is_no_json_is_an_error(result: Any) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        sendable(result, most_bytes=100)


def test_numbers_of_numpy_and_torch_are_pythons() -> None:
    result = {"a": np.float32(0.5), "b": [torch.tensor([1, 2])], "c": np.arange(2)}
    assert sendable(result, most_bytes=100)[0] == {"a": 0.5, "b": [[1, 2]], "c": [0, 1]}
