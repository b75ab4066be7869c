"""NaN and infinity in what a model returned are found, wherever they are."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.errors import ModelFault
from ts.handler_utils.models.finite import check_finite


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", [0, 7, 5999])
def test_a_value_that_is_not_finite_is_found(dtype, value, place):
    scores = torch.zeros(2, 3000, dtype=dtype)
    scores.view(-1)[place] = value
    with pytest.raises(ModelFault, match="the model returned scores that are not finite: from "):
        check_finite("scores", scores)


@pytest.mark.parametrize(
    "values", [torch.empty(0, 4), torch.tensor([1, 2]), torch.full((2, 3), torch.finfo(torch.float32).min)]
)
def test_finite_values_and_none_pass(values):
    check_finite("boxes", values)
